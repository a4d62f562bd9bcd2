import { type Event, knownEvent } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { failureText } from './failure-text.ts';

/** A refused update or a declined training, with its code. */
export interface Trouble {
  readonly event: Event;
  readonly reason: string;
}

/** The code of an event about a refused or declined update, or its kind where it has none; null for other events. */
export function reasonOf(event: Event): string | null {
  if (event.kind !== 'update-refused' && event.kind !== 'update-declined') return null;
  const known = knownEvent(event);
  return known !== null && 'code' in known.data ? (known.data.code ?? event.kind) : event.kind;
}

/** The sentence with the reason of the refusal. */
export function detailOf(event: Event): string {
  const known = knownEvent(event);
  if (known?.kind === 'update-declined')
    return failureText({ code: known.data.code, message: event.message });
  if (known?.kind !== 'update-refused') return event.message;
  const { code, detail, facts } = known.data;
  return failureText({ code, message: detail, facts });
}

/** The number of events that a row of the log stands for. */
function eventCount({ data }: Event): number {
  return typeof data?.count === 'number' ? data.count : 1;
}

/** Most frequent first; equally frequent ones by name. */
export function countByReason(
  troubles: readonly Trouble[],
): readonly { readonly reason: string; readonly count: number }[] {
  return [...Map.groupBy(troubles, ({ reason }) => reason)]
    .map(([reason, those]) => ({
      reason,
      count: those.reduce((sum, { event }) => sum + eventCount(event), 0),
    }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

/** Short names of the codes that a refused update can have; the error pages have the rest. */
export const reasonWords = catalogue<Record<string, string>>(
  {
    'update-late': 'came after the round had closed',
    'update-stale': 'made from an older model',
    'not-joined': 'sent before joining the run',
    'update-not-selected': 'not asked in this round',
    'update-duplicate': 'sent twice',
    'update-shape': 'of another model’s shape',
    'update-not-finite': 'not finite (NaN or infinity)',
    'update-out-of-range': 'values out of range',
    'update-examples': 'claims too many examples',
    'update-not-offered': 'a piece without its update',
    'update-norm': 'longer than the run’s norm bound',
    'update-measure': 'measures that cannot be',
    'frame-invalid': 'damaged on the way',
    'frame-too-large': 'too large',
    'training-diverged': 'the training diverged',
    'data-empty': 'no examples on the device',
    'backend-lost': 'the device’s backend was lost',
    'update-refused': 'refused',
    'update-declined': 'declined',
  },
  {
    'update-late': '本轮结束后才到达',
    'update-stale': '基于旧模型',
    'not-joined': '未加入本次训练',
    'update-not-selected': '本轮未被邀请',
    'update-duplicate': '重复发送',
    'update-shape': '形状属于其他模型',
    'update-not-finite': '含非有限值（NaN 或无穷）',
    'update-out-of-range': '数值超出范围',
    'update-examples': '声称的样本数过多',
    'update-not-offered': '片段没有对应的更新',
    'update-norm': '超过本次训练的范数上限',
    'update-measure': '统计数据自相矛盾',
    'frame-invalid': '传输中损坏',
    'frame-too-large': '过大',
    'training-diverged': '训练发散',
    'data-empty': '设备上没有样本',
    'backend-lost': '设备的计算后端丢失',
    'update-refused': '被拒绝',
    'update-declined': '谢绝',
  },
);
