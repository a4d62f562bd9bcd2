import type { Channel, Outcome, ParticipantRow, Phase, Round, RunStatus } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';

/** The protocol's terms, shared by the list and the pages of runs. */
export const statusWords = catalogue<Record<RunStatus, string>>(
  {
    created: 'Not started',
    running: 'Running',
    paused: 'Paused',
    finished: 'Finished',
    stopped: 'Stopped',
    failed: 'Failed',
  },
  {
    created: '未开始',
    running: '进行中',
    paused: '已暂停',
    finished: '已完成',
    stopped: '已停止',
    failed: '失败',
  },
);

export const statusTones: Record<RunStatus, 'good' | 'warn' | 'bad' | ''> = {
  created: '',
  running: 'good',
  paused: 'warn',
  finished: '',
  stopped: '',
  failed: 'bad',
};

export const phaseWords = catalogue<Record<Phase, string>>(
  {
    idle: 'Idle',
    waiting: 'Waiting',
    scaling: 'Agreeing on scaling',
    select: 'Select',
    distribute: 'Distribute',
    collect: 'Collect',
    aggregate: 'Aggregate',
    evaluate: 'Evaluate',
    commit: 'Commit',
  },
  {
    idle: '空闲',
    waiting: '等待',
    scaling: '商定缩放',
    select: '抽选',
    distribute: '下发',
    collect: '收集',
    aggregate: '聚合',
    evaluate: '评估',
    commit: '提交',
  },
);

/** The phases of a round, in order; `waiting` and `idle` lie between rounds. */
export const roundPhases = ['select', 'distribute', 'collect', 'aggregate', 'evaluate', 'commit'] as const;

export const outcomeWords = catalogue<Record<Outcome, string>>(
  {
    asked: 'asked, working',
    accepted: 'accepted',
    late: 'too late',
    declined: 'declined',
    away: 'connection lost',
    left: 'left',
    refused: 'refused',
  },
  {
    asked: '已邀请，训练中',
    accepted: '已接受',
    late: '迟到',
    declined: '谢绝',
    away: '断线',
    left: '离开',
    refused: '被拒绝',
  },
);

export const outcomeTones: Record<Outcome, 'good' | 'open' | 'bad' | 'quiet'> = {
  asked: 'open',
  accepted: 'good',
  late: 'quiet',
  declined: 'quiet',
  away: 'open',
  left: 'quiet',
  refused: 'bad',
};

export const roundWords = catalogue<Record<Round['outcome'], string>>(
  { open: 'open', committed: 'committed', abandoned: 'abandoned' },
  { open: '进行中', committed: '已提交', abandoned: '已放弃' },
);

export const stateWords = catalogue<Record<ParticipantRow['state'], string>>(
  {
    training: 'training',
    delivered: 'delivered',
    ready: 'ready',
    paused: 'paused',
    away: 'away',
    left: 'left',
  },
  { training: '训练中', delivered: '已交回', ready: '就绪', paused: '暂停', away: '断线', left: '离开' },
);

export const deviceWords = catalogue<Record<ParticipantRow['device'], string>>(
  { browser: 'browser', headless: 'headless' },
  { browser: '浏览器', headless: '无界面' },
);

export const channelWords = catalogue<Record<Channel, string>>(
  { candidate: 'Candidate', canary: 'Canary', production: 'Production' },
  { candidate: '候选', canary: '灰度', production: '生产' },
);

export const levelWords = catalogue(
  { info: 'Info', warning: 'Warning', error: 'Error' },
  { info: '信息', warning: '警告', error: '错误' },
);

/** A participant's short anonymous id, the same in every table. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Formats the error of a regression with four significant digits and the target's unit. */
export function formatError(error: number, unit: string | undefined): string {
  const value = formatNumber(error, { maximumSignificantDigits: 4 });
  return unit === undefined ? value : `${value} ${unit}`;
}

/** Formats a loss with four significant digits. */
export function formatLoss(loss: number): string {
  return formatNumber(loss, { maximumSignificantDigits: 4 });
}

/** Formats milliseconds in a fitting unit with three digits: for machines' times, where seconds are too coarse. */
export function formatMilliseconds(milliseconds: number): string {
  const [value, unit] =
    milliseconds < 1000
      ? ([milliseconds, 'millisecond'] as const)
      : milliseconds < 120_000
        ? ([milliseconds / 1000, 'second'] as const)
        : ([milliseconds / 60_000, 'minute'] as const);
  return formatNumber(value, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    ...(value < 1 ? { maximumFractionDigits: 1 } : { maximumSignificantDigits: 3 }),
  });
}
