import type { Localized } from '../task.ts';
import type { OfValue, PlanField, PlanValues } from './field.ts';

/** The rows of the consent label that follow from the plan, each with its statement for a plan without any of its own. */
const rows = {
  audience: {
    label: { en: 'Who sees my update', zh: '谁能看到我的更新' },
    otherwise: { en: 'The coordinator', zh: '协调器' },
  },
  limit: {
    label: { en: 'Shortened before it leaves', zh: '离开设备前缩短至' },
    otherwise: { en: 'not shortened', zh: '不缩短' },
  },
  protection: {
    label: { en: 'Masked or noised', zh: '掩码或加噪' },
    otherwise: { en: 'no', zh: '无' },
  },
} as const;

type ConsentRowName = keyof typeof rows;

/** The statements of a field, per row and for the paragraph on inference; `null` where its value has nothing to state. */
export type ConsentSays<T> = {
  readonly [R in ConsentRowName | 'inference']?: OfValue<T, Localized | null>;
};

/** A row of the consent label. */
export interface ConsentRow {
  readonly label: Localized;
  readonly value: Localized;
}

/** The part of the consent label that follows from the plan. */
export interface ConsentLabel extends Readonly<Record<ConsentRowName, ConsentRow>> {
  /** The paragraph on what could be inferred from an update. */
  readonly inference: Localized;
}

const unprotected = {
  en: 'Updates are not masked and no noise is added. Whoever runs the coordinator could try to infer from one what kind of examples it was made from.',
  zh: '更新没有掩码，也不加噪声。运行协调器的人可以尝试从一份更新推断它由什么样的样本得来。',
};
const protectedSomehow = {
  en: 'The protection above limits what can be inferred from an update, but does not rule it out.',
  zh: '上述保护会限制从一份更新中能推断出的内容，但不能完全排除。',
};

/** The consent label's statements on a plan, from its fields. Fields that the plan leaves out state nothing. */
export function consentOf(plan: PlanValues, fieldOf: (name: string) => PlanField | undefined): ConsentLabel {
  const statements = (row: ConsentRowName | 'inference'): readonly Localized[] =>
    Object.entries(plan).flatMap(([name, value]) => {
      const says = value === undefined ? undefined : fieldOf(name)?.consent?.[row];
      return says?.(value ?? null, plan) ?? [];
    });
  const row = (name: ConsentRowName): ConsentRow => {
    const { label, otherwise } = rows[name];
    return { label, value: joined(statements(name), { en: '; ', zh: '；' }) ?? otherwise };
  };
  const fallback = statements('protection').length === 0 ? unprotected : protectedSomehow;
  return {
    audience: row('audience'),
    limit: row('limit'),
    protection: row('protection'),
    inference: joined(statements('inference'), { en: ' ', zh: '' }) ?? fallback,
  };
}

/** A number in both languages, with six significant digits. */
export function figure(value: number): Localized {
  const write = (locale: string) =>
    new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 }).format(value);
  return { en: write('en'), zh: write('zh-CN') };
}

function joined(texts: readonly Localized[], between: { en: string; zh: string }): Localized | null {
  if (texts.length === 0) return null;
  return {
    en: texts.map(({ en }) => en).join(between.en),
    zh: texts.map(({ en, zh }) => zh ?? en).join(between.zh),
  };
}
