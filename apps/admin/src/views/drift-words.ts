import type { DriftVerdict } from '@coppice/protocol';
import { formatNumber } from '@coppice/ui';
import type { BinLabel } from '../monitoring/bin-labels.ts';
import { monitoringText } from './monitoring-texts.ts';

/** Formats an effect, a population stability index. */
export function formatEffect(effect: number): string {
  return formatNumber(effect, { minimumFractionDigits: 2, maximumFractionDigits: 3 });
}

/** The name of a watched distribution: a column's, or a word for predictions and confidence. */
export function testName({
  role,
  name,
}: Pick<DriftVerdict['drift']['results'][number], 'role' | 'name'>): string {
  const t = monitoringText();
  if (role === 'prediction') return t.predictions;
  return role === 'confidence' ? t.confidence : name;
}

/** The name of a column. @param isPicture true for those that pictures have, which have names in both languages. */
export function columnName(name: string, isPicture: boolean): string {
  const t = monitoringText();
  if (!isPicture) return name;
  const feature = /^feature (\d+)$/.exec(name)?.[1];
  if (feature !== undefined) return t.feature(Number(feature));
  return name === 'brightness' ? t.brightness : name === 'contrast' ? t.contrast : name;
}

export function binText(label: BinLabel): string {
  const t = monitoringText();
  const edge = (value: number) => formatNumber(value, { maximumSignificantDigits: 3 });
  switch (label.kind) {
    case 'below':
      return t.below(edge(label.edge));
    case 'from':
      return t.from(edge(label.edge));
    case 'between':
      return t.range(edge(label.low), edge(label.high));
    case 'value':
      return label.name;
    case 'other':
      return t.other;
    case 'bin':
      return t.bin(formatNumber(label.number));
  }
}

export function faultText(fault: DriftVerdict['quality']['results'][number]['fault']): string {
  const t = monitoringText();
  return { missing: t.missing, outside: t.outside, other: t.unlisted }[fault];
}
