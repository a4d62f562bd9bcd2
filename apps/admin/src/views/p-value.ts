import { formatNumber } from '@coppice/ui';

/** P-values below it are shown as such: their digits tell nothing more. */
const LEAST = 0.0001;

/** A p-value with two digits, or the bound that it is below. */
export function pValueText(value: number): string {
  return value < LEAST
    ? `< ${formatNumber(LEAST, { maximumFractionDigits: 4 })}`
    : formatNumber(value, { maximumSignificantDigits: 2 });
}

export function pEquation(value: number): string {
  const text = pValueText(value);
  return text.startsWith('<') ? `p ${text}` : `p = ${text}`;
}
