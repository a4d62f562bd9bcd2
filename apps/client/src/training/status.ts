import type { Activity, SessionState } from '@coppice/participant';
import type { Peers, RunSummary } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber } from '@coppice/ui';
import type { CareReason } from '../care/policy.ts';

/** Inputs of the status sentence. */
export interface StatusView {
  readonly stage: 'out' | 'joining' | 'in' | 'over';
  readonly connection: SessionState['connection'];
  readonly activity: Activity;
  readonly run: Pick<RunSummary, 'status' | 'phase' | 'participants' | 'needed' | 'round' | 'rounds'> | null;
  readonly peers: Pick<Peers, 'joined' | 'working' | 'done'> | null;
  /** The reason of the device care's pause; null: none. */
  readonly care: CareReason | null;
  readonly consented: boolean;
}

const n = (value: number) => formatNumber(value);

const text = catalogue(
  {
    connecting: 'Connecting to the coordinator…',
    offline: 'The connection is gone. It comes back by itself; what was learned here is not lost.',
    offlineOut: 'The coordinator does not answer. The page keeps trying by itself.',
    refused: 'The coordinator does not talk to this page as it is. See the note below.',
    noRun: 'No training is open right now. This page shows one as soon as it begins.',
    agree: 'Read what happens and agree, then start.',
    ready: 'Ready. Nothing is trained or sent until you press Start.',
    joining: 'Joining…',
    needsData: 'Joined. Add examples and this device is asked in the next round.',
    runPaused: 'The operator has paused this training. It goes on by itself when they resume it.',
    created: 'Joined. The operator has not started this training yet.',
    waitingFor: (missing: number, needed: number, here: number) =>
      `Waiting for ${n(missing)} more ${missing === 1 ? 'person' : 'people'}: a round needs ${n(needed)}, ${n(here)} here.`,
    agreeing: 'The devices agree on the scale of each column. The first round begins after that.',
    waitingOthers: 'A round is under way without this device. It may be asked in the next one.',
    waitingSums: 'The coordinator is averaging what everyone sent.',
    waiting: 'Waiting for the next round to begin.',
    paused: 'Paused. Nothing is trained or sent until you resume.',
    pausedHidden: 'Paused while this tab is hidden. It goes on when you come back to it.',
    pausedBattery: 'Paused: the battery is low. It goes on when the device is plugged in.',
    pausedUnplugged: 'Paused: this device runs on battery. It goes on when it is plugged in.',
    pausedSaving: 'Paused: the browser is set to save data. It goes on when that is switched off.',
    pausedMetered: 'Paused: this device is on mobile data. It goes on over Wi-Fi or a cable.',
    receiving: (round: number, received: string, bytes: string) =>
      `Round ${n(round)}: the model is coming, ${received} of ${bytes}.`,
    preparing: (round: number) => `Round ${n(round)}: the model has arrived and is being set up.`,
    evaluating: (round: number) => `Round ${n(round)}: measuring the model on your examples.`,
    training: (round: number, step: number, steps: number) =>
      `Round ${n(round)}: training on this device, step ${n(step)} of ${n(steps)}.`,
    trainingEpochs: (v: { round: number; epoch: number; epochs: number; step: number; steps: number }) =>
      `Round ${n(v.round)}: training on this device, pass ${n(v.epoch)} of ${n(v.epochs)}, step ${n(v.step)} of ${n(v.steps)}.`,
    sending: (round: number, bytes: string) => `Round ${n(round)}: sending what was learned, ${bytes}.`,
    sendingPart: (round: number, sent: string, bytes: string) =>
      `Round ${n(round)}: sending what was learned, ${sent} of ${bytes}.`,
    delivered: (round: number) => `Round ${n(round)}: sent. Waiting for the round to close.`,
    deliveredPeers: (round: number, done: number, all: number) =>
      `Round ${n(round)}: sent. Waiting for the others, ${n(done)} of ${n(all)} done.`,
    finished: (rounds: number) => `Finished after ${n(rounds)} rounds. You can go on using the model.`,
    stopped: 'The operator has ended this training. You can go on using the model that you have.',
    failed: 'This training could not go on and has ended. You can go on using the model that you have.',
  },
  {
    connecting: '正在连接协调器……',
    offline: '连接已断开，会自动恢复；这里学到的不会丢失。',
    offlineOut: '协调器没有回应，页面会不断自动重试。',
    refused: '协调器拒绝了当前的页面，请看下方说明。',
    noRun: '目前没有开放的训练。一旦开始，本页会自动显示。',
    agree: '请先阅读会发生什么并表示同意，然后开始。',
    ready: '已就绪。在你点“开始”之前，不会训练，也不会发送。',
    joining: '正在加入……',
    needsData: '已加入。添加样本后，本设备会在下一轮被邀请。',
    runPaused: '运营者已暂停本次训练，恢复后会自动继续。',
    created: '已加入。运营者尚未启动本次训练。',
    waitingFor: (missing, needed, here) =>
      `还差 ${n(missing)} 人：一轮需要 ${n(needed)} 人，现有 ${n(here)} 人。`,
    agreeing: '各设备正在商定每一列的缩放，随后开始第一轮。',
    waitingOthers: '有一轮正在进行，本设备未被邀请，下一轮可能会被邀请。',
    waitingSums: '协调器正在汇总大家发来的更新。',
    waiting: '等待下一轮开始。',
    paused: '已暂停。恢复之前不会训练，也不会发送。',
    pausedHidden: '标签页隐藏期间暂停，你回来后自动继续。',
    pausedBattery: '已暂停：电量低。接通电源后自动继续。',
    pausedUnplugged: '已暂停：设备正在使用电池。接通电源后自动继续。',
    pausedSaving: '已暂停：浏览器设为节省流量。关闭该设置后自动继续。',
    pausedMetered: '已暂停：设备正在使用移动数据。连接 Wi-Fi 或有线网络后自动继续。',
    receiving: (round, received, bytes) => `第 ${n(round)} 轮：正在接收模型，${received} / ${bytes}。`,
    preparing: (round) => `第 ${n(round)} 轮：模型已到，正在准备。`,
    evaluating: (round) => `第 ${n(round)} 轮：正用你的样本测量模型。`,
    training: (round, step, steps) =>
      `第 ${n(round)} 轮：本设备正在训练，第 ${n(step)} 步，共 ${n(steps)} 步。`,
    trainingEpochs: (v) =>
      `第 ${n(v.round)} 轮：本设备正在训练，第 ${n(v.epoch)} 遍（共 ${n(v.epochs)} 遍），第 ${n(v.step)} 步（共 ${n(v.steps)} 步）。`,
    sending: (round, bytes) => `第 ${n(round)} 轮：正在发送学到的内容，${bytes}。`,
    sendingPart: (round, sent, bytes) => `第 ${n(round)} 轮：正在发送学到的内容，${sent} / ${bytes}。`,
    delivered: (round) => `第 ${n(round)} 轮：已发送，等待本轮结束。`,
    deliveredPeers: (round, done, all) =>
      `第 ${n(round)} 轮：已发送，等待其他人，已完成 ${n(done)} / ${n(all)}。`,
    finished: (rounds) => `已完成全部 ${n(rounds)} 轮。模型仍可继续使用。`,
    stopped: '运营者已结束本次训练。你手上的模型仍可继续使用。',
    failed: '本次训练无法继续，已经结束。你手上的模型仍可继续使用。',
  },
);

/** The current status in one sentence, in the current language. */
export function statusSentence(view: StatusView): string {
  const t = text();
  const { connection, run, stage } = view;
  if (connection === 'refused') return t.refused;
  if (stage === 'over') return over(run);
  if (connection === 'connecting') return t.connecting;
  if (connection === 'offline') return stage === 'out' ? t.offlineOut : t.offline;
  if (stage === 'joining') return t.joining;
  if (run === null) return t.noRun;
  if (stage === 'out') return view.consented ? t.ready : t.agree;
  return activitySentence(view, run);
}

function over(run: StatusView['run']): string {
  const t = text();
  if (run?.status === 'stopped') return t.stopped;
  if (run?.status === 'failed') return t.failed;
  return t.finished(run?.round ?? 0);
}

function activitySentence(view: StatusView, run: NonNullable<StatusView['run']>): string {
  const t = text();
  const { activity, peers } = view;
  switch (activity.kind) {
    case 'idle':
      return t.joining;
    case 'needs-data':
      return t.needsData;
    case 'waiting':
      return waitingSentence(run);
    case 'paused':
      return pausedSentence(view.care);
    case 'receiving':
      return t.receiving(activity.round, formatBytes(activity.received), formatBytes(activity.bytes));
    case 'preparing':
      return t.preparing(activity.round);
    case 'evaluating':
      return t.evaluating(activity.round);
    case 'training':
      return activity.epochs > 1
        ? t.trainingEpochs(activity)
        : t.training(activity.round, activity.step, activity.steps);
    case 'sending':
      return activity.sent === 0
        ? t.sending(activity.round, formatBytes(activity.bytes))
        : t.sendingPart(activity.round, formatBytes(activity.sent), formatBytes(activity.bytes));
    case 'delivered':
      return peers !== null && peers.working > 0
        ? t.deliveredPeers(activity.round, peers.done, peers.done + peers.working)
        : t.delivered(activity.round);
    case 'ended':
      return over(run);
  }
}

function waitingSentence(run: NonNullable<StatusView['run']>): string {
  const t = text();
  if (run.status === 'paused') return t.runPaused;
  if (run.status === 'created') return t.created;
  if (run.phase === 'scaling') return t.agreeing;
  if (run.phase === 'distribute' || run.phase === 'collect') return t.waitingOthers;
  if (run.phase === 'aggregate' || run.phase === 'evaluate' || run.phase === 'commit') return t.waitingSums;
  if (run.participants < run.needed)
    return t.waitingFor(run.needed - run.participants, run.needed, run.participants);
  return t.waiting;
}

function pausedSentence(care: CareReason | null): string {
  const t = text();
  if (care === null) return t.paused;
  const sentences: Record<CareReason, string> = {
    hidden: t.pausedHidden,
    battery: t.pausedBattery,
    unplugged: t.pausedUnplugged,
    'data-saving': t.pausedSaving,
    metered: t.pausedMetered,
  };
  return sentences[care];
}

/** Checks that the status changes many times a second, so that announcements must be throttled. */
export function isBusy(activity: Activity): boolean {
  return (
    activity.kind === 'receiving' ||
    activity.kind === 'preparing' ||
    activity.kind === 'evaluating' ||
    activity.kind === 'training' ||
    activity.kind === 'sending' ||
    activity.kind === 'delivered' ||
    activity.kind === 'waiting'
  );
}
