import {
  type Event,
  type EventData,
  type EventKind,
  eventKinds,
  type KnownEvent,
  knownEvent,
} from '@coppice/protocol';
import { catalogue, formatBytes, formatDateTime, formatNumber, formatShare } from '@coppice/ui';
import { channelWords, deviceWords } from '../words.ts';
import { failureText } from './failure-text.ts';
import { authorText, causeList, endText, hindranceList } from './firing-texts.ts';

/**
 * An event as a sentence in the reader's language, from its kind and data; the coordinator's English where they are
 * unknown to this page, with a few words before it in Chinese that say why.
 */
export function eventText(event: Event): string {
  const known = knownEvent(event);
  if (known === null) {
    const { older, other } = unread();
    return (eventKinds.includes(event.kind as EventKind) ? older : other)(event.message);
  }
  const sentence = said(known, event.round === null ? '–' : formatNumber(event.round));
  const count = event.data?.count;
  return typeof count === 'number' ? more().more(formatNumber(count), sentence) : sentence;
}

function said<K extends EventKind>({ kind, data }: KnownEvent<K>, round: string): string {
  const all: Sentences = sentences();
  return all[kind](data, round);
}

const more = catalogue(
  { more: (count: string, sentence: string) => `${count} more: ${sentence}` },
  { more: (count, sentence) => `另有 ${count} 次：${sentence}` },
);

/** Events that were written without data, or by a version whose kinds of events are not known here. */
const unread = catalogue(
  { older: (message: string) => message, other: (message: string) => message },
  {
    older: (message) => `旧版本的记录，仅存英文原文：${message}`,
    other: (message) => `其他版本的记录，仅有英文原文：${message}`,
  },
);

type Sentences = { readonly [K in EventKind]: (data: EventData[K], round: string) => string };

const reason = ({ code, detail, facts }: EventData['round-abandoned']) =>
  failureText({ code, message: detail, facts });

/** The cause where only its code is known: in English the code itself, which its page in docs/errors explains. */
const cause = (code: string) => failureText({ code, message: code });

const sentences = catalogue<Sentences>(
  {
    'run-created': ({ from, firstWeights }) => {
      if (from !== undefined) return `The run was created from ${from}.`;
      if (firstWeights === 'given') return 'The run was created from the weights given with the task.';
      return firstWeights === 'seed'
        ? 'The run was created. The seed drew its weights, but for the frozen ones given with the task.'
        : 'The run was created.';
    },
    'run-running': () => 'The run is running.',
    'run-paused': ({ code, detail = '', facts }) =>
      code === undefined
        ? 'The run is paused. The current round will finish first.'
        : `The coordinator paused the run: ${failureText({ code, message: detail, facts })}`,
    'run-stopped': ({ code, detail = '', facts }) =>
      code === undefined
        ? 'The run was stopped.'
        : `The coordinator stopped the run: ${failureText({ code, message: detail, facts })}`,
    'run-finished': ({ rounds }) => `The run finished after ${formatNumber(rounds)} rounds.`,
    'run-recovered': ({ next }) =>
      `The coordinator restarted; the run continues with round ${formatNumber(next)}.`,
    'participant-joined': ({ device, backend }) =>
      `Participant joined (${deviceWords()[device]}, ${backend}).`,
    'participant-left': () => 'Participant left.',
    'participant-put-out': ({ code }) => `Participant removed (${cause(code)}).`,
    'participant-events': () => 'One participant caused many kinds of events; they were only counted.',
    'update-refused': (data, round) => `Round ${round}: update rejected (${data.code}). ${reason(data)}`,
    'update-declined': ({ code }) => `A participant could not train (${cause(code)}).`,
    'scaling-agreed': ({ participants, examples }) =>
      `The scaling of the columns was agreed by ${formatNumber(participants)} participants (${formatNumber(examples)} examples).`,
    'scaling-failed': (data) => `No agreement on the scaling; participants are asked again. ${reason(data)}`,
    'round-started': ({ asked, target }, round) =>
      `Round ${round} started (${formatNumber(asked)} selected, target ${formatNumber(target)}).`,
    'round-recovered': ({ accepted, target }, round) =>
      `Round ${round} continues after a restart with ${formatNumber(accepted)} of ${formatNumber(target)} updates.`,
    'round-ended-by-admin': (_data, round) => `Round ${round} was ended by an admin.`,
    'round-committed': ({ accepted, asked, bytes, accuracy }, round) =>
      [
        `Round ${round} committed`,
        `${formatNumber(accepted)} of ${formatNumber(asked)} updates`,
        ...(bytes === null ? [] : [formatBytes(bytes)]),
        ...(accuracy === null ? [] : [`accuracy ${formatShare(accuracy)}`]),
      ].join(' · '),
    'updates-shortened': ({ accepted, capped, scaled }, round) =>
      `Round ${round}: of ${formatNumber(accepted)} updates, ${[
        ...(capped === 0 ? [] : [`${formatNumber(capped)} counted at the weight cap`]),
        ...(scaled === 0 ? [] : [`${formatNumber(scaled)} scaled down to the norm bound`]),
      ].join(', ')}.`,
    'variances-kept': ({ variances }, round) =>
      `Round ${round}: ${formatNumber(variances)} running variances would have become negative and were set to 0.`,
    'federated-loss-null': ({ examples }, round) =>
      `Round ${round}: most participants could tell no finite loss of the model, on ${formatNumber(examples)} examples held out in all.`,
    'round-abandoned': (data, round) =>
      `Round ${round} was abandoned: ${reason(data)} The model is unchanged.`,
    'spool-damaged': (data) => `Stored updates of the open round could not be used. ${reason(data)}`,
    'release-moved': ({ task, channel, checkpoint, undone, by, firing, reason: why }) => {
      const to = checkpoint === null ? 'emptied' : `${undone ? 'taken back' : 'moved'} to ${checkpoint}`;
      return `${channelWords()[channel]} of ${task} was ${to} by ${authorText(by, firing ?? null)}: ${why}`;
    },
    'firing-began': ({ task, firing, causes, production }) =>
      `Retraining ${formatNumber(firing)} of ${task} began (${causeList(causes)}), from ${production}.`,
    'launch-hindered': ({ task, causes, hindrances }) =>
      `Retraining of ${task} is called for (${causeList(causes)}) and does not begin: ${hindranceList(hindrances)}.`,
    'canary-began': ({ task, firing, candidate, share }) =>
      `Retraining ${formatNumber(firing)} of ${task}: ${formatShare(share)} of the participants get ${candidate} as canary, beside a control group of the same size.`,
    'firing-ended': ({ task, firing, outcome, candidate, checks }) =>
      `Retraining ${formatNumber(firing)} of ${task} ended. ${endText(outcome, candidate ?? '–', checks)}`,
    'drift-alarm': ({ task, period, participants, alarms, tested, role, name, effect }) =>
      `Drift in ${task}, period ${formatNumber(period)}: ${formatNumber(alarms)} of ${formatNumber(tested)} distributions, among ${formatNumber(participants)} participants. Largest effect: ${role === 'input' ? `column “${name}”` : role}, ${effect.toFixed(2)}.`,
    'data-quality-alarm': ({ task, period, participants, name, fault, reference, current }) =>
      `Data quality in ${task}, period ${formatNumber(period)}: ${(100 * current).toFixed(1)} % of the values of “${name}” are ${{ missing: 'missing', outside: 'beyond the plausible range', other: 'in no listed category' }[fault]} (before: ${(100 * reference).toFixed(1)} %), among ${formatNumber(participants)} participants. Check the source of the data.`,
    'privacy-budget-spent': ({ task, epsilon, budget, delta }) =>
      `Monitoring of ${task} has stopped: ε = ${epsilon.toFixed(2)} of the privacy budget of ${budget} (δ = ${delta}) is spent, and the next summary would exceed it. Raise the budget in the policy to go on.`,
    'storage-failed': (data) => `Storage failed. ${reason(data)}`,
    'storage-refused': ({ code, since }) =>
      `Storage accepts writes again; it had refused them since ${formatDateTime(since)} (${cause(code)}).`,
  },
  {
    'run-created': ({ from, firstWeights }) => {
      if (from !== undefined) return `训练已创建，起始检查点为 ${from}。`;
      if (firstWeights === 'given') return '训练已创建，初始权重为任务提供的权重。';
      return firstWeights === 'seed'
        ? '训练已创建，初始权重由种子生成；冻结的权重除外，沿用任务提供的权重。'
        : '训练已创建。';
    },
    'run-running': () => '训练开始运行。',
    'run-paused': ({ code, detail = '', facts }) =>
      code === undefined
        ? '训练已暂停。当前一轮会先完成。'
        : `协调器已暂停训练：${failureText({ code, message: detail, facts })}`,
    'run-stopped': ({ code, detail = '', facts }) =>
      code === undefined
        ? '训练已停止。'
        : `协调器已停止训练：${failureText({ code, message: detail, facts })}`,
    'run-finished': ({ rounds }) => `训练已完成，共 ${formatNumber(rounds)} 轮。`,
    'run-recovered': ({ next }) => `协调器已重启，训练从第 ${formatNumber(next)} 轮继续。`,
    'participant-joined': ({ device, backend }) => `参与者加入（${deviceWords()[device]}，${backend}）。`,
    'participant-left': () => '参与者离开。',
    'participant-put-out': ({ code }) => `参与者已被移出：${cause(code)}`,
    'participant-events': () => '同一参与者引发的事件种类过多，仅作计数。',
    'update-refused': (data, round) => `第 ${round} 轮：更新被拒绝。${reason(data)}`,
    'update-declined': ({ code }) => `一位参与者无法训练：${cause(code)}`,
    'scaling-agreed': ({ participants, examples }) =>
      `${formatNumber(participants)} 位参与者商定了各列的缩放（共 ${formatNumber(examples)} 个样本）。`,
    'scaling-failed': (data) => `未能商定缩放，将再次询问参与者。${reason(data)}`,
    'round-started': ({ asked, target }, round) =>
      `第 ${round} 轮开始：邀请 ${formatNumber(asked)} 位，目标 ${formatNumber(target)} 份更新。`,
    'round-recovered': ({ accepted, target }, round) =>
      `重启后第 ${round} 轮继续：目标 ${formatNumber(target)} 份更新，已有 ${formatNumber(accepted)} 份。`,
    'round-ended-by-admin': (_data, round) => `第 ${round} 轮由管理员结束。`,
    'round-committed': ({ accepted, asked, bytes, accuracy }, round) =>
      [
        `第 ${round} 轮已提交`,
        `邀请 ${formatNumber(asked)} 位，收到 ${formatNumber(accepted)} 份更新`,
        ...(bytes === null ? [] : [formatBytes(bytes)]),
        ...(accuracy === null ? [] : [`准确率 ${formatShare(accuracy)}`]),
      ].join(' · '),
    'updates-shortened': ({ accepted, capped, scaled }, round) =>
      `第 ${round} 轮：${formatNumber(accepted)} 份更新中，${[
        ...(capped === 0 ? [] : [`${formatNumber(capped)} 份按权重上限计入`]),
        ...(scaled === 0 ? [] : [`${formatNumber(scaled)} 份缩短至范数上限`]),
      ].join('，')}。`,
    'variances-kept': ({ variances }, round) =>
      `第 ${round} 轮：${formatNumber(variances)} 个滑动方差本会变为负数，已置为 0。`,
    'federated-loss-null': ({ examples }, round) =>
      `第 ${round} 轮：多数参与者测得的模型损失值无效（共留出 ${formatNumber(examples)} 个样本）。`,
    'round-abandoned': (data, round) => `第 ${round} 轮已放弃：${reason(data)}模型保持不变。`,
    'spool-damaged': (data) => `未完成的一轮中已保存的部分更新无法使用。${reason(data)}`,
    'release-moved': ({ task, channel, checkpoint, undone, by, firing, reason: why }) => {
      const to = checkpoint === null ? '清空' : `${undone ? '退回到' : '指向'} ${checkpoint}`;
      return `${task} 的${channelWords()[channel]}渠道已${to}。操作者：${authorText(by, firing ?? null)}；原因：${why}`;
    },
    'firing-began': ({ task, firing, causes, production }) =>
      `${task} 第 ${formatNumber(firing)} 次再训练已开始（${causeList(causes)}），起始检查点为 ${production}。`,
    'launch-hindered': ({ task, causes, hindrances }) =>
      `${task} 需要再训练（${causeList(causes)}），但未启动：${hindranceList(hindrances)}。`,
    'canary-began': ({ task, firing, candidate, share }) =>
      `${task} 第 ${formatNumber(firing)} 次再训练：${formatShare(share)} 的参与者灰度使用 ${candidate}，另有同等规模的对照组。`,
    'firing-ended': ({ task, firing, outcome, candidate, checks }) =>
      `${task} 第 ${formatNumber(firing)} 次再训练已结束。${endText(outcome, candidate ?? '–', checks)}`,
    'drift-alarm': ({ task, period, participants, alarms, tested, role, name, effect }) =>
      `${task} 第 ${formatNumber(period)} 期出现漂移：${formatNumber(tested)} 个分布中有 ${formatNumber(alarms)} 个，共 ${formatNumber(participants)} 位参与者。效应最大的是${{ input: `“${name}”列`, prediction: '预测', confidence: '置信度' }[role]}，为 ${effect.toFixed(2)}。`,
    'data-quality-alarm': ({ task, period, participants, name, fault, reference, current }) =>
      `${task} 第 ${formatNumber(period)} 期数据质量异常：“${name}”列有 ${(100 * current).toFixed(1)}% 的值${{ missing: '缺失', outside: '超出合理范围', other: '不属于任何已列类别' }[fault]}（此前为 ${(100 * reference).toFixed(1)}%），共 ${formatNumber(participants)} 位参与者。请检查数据来源。`,
    'privacy-budget-spent': ({ task, epsilon, budget, delta }) =>
      `${task} 的监测已停止：隐私预算 ${budget}（δ = ${delta}）已用去 ε = ${epsilon.toFixed(2)}，下一次汇总将超出预算。如需继续，请在监测策略中提高预算。`,
    'storage-failed': (data) => `写入存储失败。${reason(data)}`,
    'storage-refused': ({ code, since }) =>
      `存储已恢复写入；自 ${formatDateTime(since)} 起曾拒绝写入（${cause(code).replace(/。$/, '')}）。`,
  },
);
