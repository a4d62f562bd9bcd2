import type { Event, Round } from '@coppice/protocol';
import { formatBytes, formatNumber, formatShare, language } from '@coppice/ui';

/**
 * An event as one sentence in the reader's language. The coordinator writes English; what it says
 * about a round is in the round's record too, so the usual events can be said in Chinese from there.
 * Anything else stays as it was written.
 */
export function eventText(event: Event, rounds: readonly Round[]): string {
  if (language.value !== 'zh') return event.message;
  const round = rounds.findLast((one) => one.round === event.round && one.startedAt <= event.at);
  return chinese[event.kind]?.(event, round) ?? event.message;
}

type Say = (event: Event, round: Round | undefined) => string | undefined;

const chinese: Readonly<Record<string, Say>> = {
  'run-created': () => '训练已创建。',
  'run-running': () => '训练开始进行。',
  'run-paused': () => '训练已暂停：进行中的一轮会结束，不再开始新的一轮。',
  'run-stopped': () => '训练已停止。',
  'run-finished': ({ round }) => `训练完成，共 ${round ?? 0} 轮。`,
  'run-recovered': () => '协调器重启后，训练继续。',
  'participant-joined': () => '一位参与者加入。',
  'participant-left': () => '一位参与者离开。',
  'participant-put-out': () => '一位参与者被移出训练。',
  'round-ended-by-admin': ({ round }) => `第 ${round} 轮由管理员结束。`,
  'round-started': (_event, round) =>
    round && `第 ${round.round} 轮开始：邀请 ${round.asked} 位，目标 ${round.target} 份更新。`,
  'round-committed': (_event, round) => {
    if (round === undefined) return undefined;
    const accuracy = round.central?.accuracy;
    return [
      `第 ${formatNumber(round.round)} 轮已提交`,
      `邀请 ${round.asked}，交回 ${round.accepted}`,
      formatBytes(round.bytesUp + round.bytesDown),
      ...(accuracy == null ? [] : [`准确率 ${formatShare(accuracy)}`]),
    ].join(' · ');
  },
};
