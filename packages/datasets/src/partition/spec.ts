import { CoppiceError } from '@coppice/protocol';

/** Rule to distribute one dataset among participants. */
export type Partition =
  /** Shuffled and cut evenly: all parts have the same distribution. */
  | { readonly kind: 'iid' }
  /**
   * Sorted by label and cut into equal shards, `shards` for each participant: with 2, each has only a few classes
   * (McMahan et al., 2017, section 3).
   */
  | { readonly kind: 'shards'; readonly shards: number }
  /**
   * Each class is spread over the participants in proportions drawn from Dirichlet(α): the smaller α, the more they
   * differ (Yurochkin et al., 2019).
   */
  | { readonly kind: 'dirichlet'; readonly alpha: number }
  /** Rows of one value of a column stay together: natural participants, such as persons, devices or hospitals. */
  | { readonly kind: 'by-column'; readonly column: string }
  /**
   * Shuffled, and cut into parts of different sizes: weights from Dirichlet(α), or the k-th weight k^−exponent. The
   * distribution is the same in all parts.
   */
  | { readonly kind: 'quantity-skew'; readonly sizes: 'dirichlet' | 'power'; readonly value: number }
  /**
   * Ten equal groups by a feature, each spread in proportions drawn from Dirichlet(α). `column` null: the direction in
   * which the examples vary most.
   */
  | { readonly kind: 'feature-skew'; readonly alpha: number; readonly column: string | null }
  /** Ten equal groups by the numeric target, each spread in proportions drawn from Dirichlet(α). */
  | { readonly kind: 'continuous'; readonly alpha: number };

/** The concentration where none is given. */
const USUAL_ALPHA = 0.5;

/** The forms that `parsePartition` reads, for messages. */
export const PARTITION_FORMS =
  'iid, shards:S, dirichlet:ALPHA, by-column:NAME, quantity-skew:ALPHA, quantity-skew:power:E, feature-skew:ALPHA[:NAME] or continuous:ALPHA';

/**
 * Reads `iid`, `shards:2`, `dirichlet:0.5`, `by-column:hospital` (a space may stand for the colon),
 * `quantity-skew:0.5`, `quantity-skew:power:1.2`, `feature-skew:0.5`, `feature-skew:0.5:age` or `continuous:0.5`. The
 * last three have 0.5 where no number is given.
 *
 * @throws CoppiceError `config-invalid`
 */
export function parsePartition(text: string): Partition {
  const spec = read(text.trim());
  if (spec !== null) return spec;
  throw new CoppiceError(
    'config-invalid',
    `"${text}" is no way to deal out data. Use iid, shards:N with a whole number of shards each (as shards:2), dirichlet:A with a number above 0 (as dirichlet:0.5), by-column:NAME, quantity-skew:A, quantity-skew:power:E, feature-skew:A or feature-skew:A:NAME, or continuous:A.`,
  );
}

function read(text: string): Partition | null {
  const column = /^by-column[:\s]\s*(\S.*)$/su.exec(text)?.[1];
  if (column !== undefined) return { kind: 'by-column', column };
  const [kind, value, ...rest] = text.split(':');
  const given = numberOf(value);
  const [number, more] = value === undefined ? [USUAL_ALPHA, []] : [given, rest];
  const positive = Number.isFinite(number) && number > 0;
  if (kind === 'feature-skew' && positive)
    return { kind, alpha: number, column: more.join(':').trim() || null };
  if (kind === 'quantity-skew' && value === 'power' && rest.length === 1) {
    const exponent = numberOf(rest[0]);
    return Number.isFinite(exponent) && exponent >= 0 ? { kind, sizes: 'power', value: exponent } : null;
  }
  if (more.length > 0) return null;
  if (kind === 'iid' && value === undefined) return { kind };
  if (kind === 'shards' && Number.isInteger(given) && given >= 1) return { kind, shards: given };
  if (kind === 'dirichlet' && Number.isFinite(given) && given > 0) return { kind, alpha: given };
  if (kind === 'quantity-skew' && positive) return { kind, sizes: 'dirichlet', value: number };
  if (kind === 'continuous' && positive) return { kind, alpha: number };
  return null;
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}
