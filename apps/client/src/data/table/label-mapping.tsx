import type { LabelMap, LabelUse } from '@coppice/datasets/reading';
import { formatNumber } from '@coppice/ui';
import { busy } from '../data.ts';
import { shortened } from './reasons.tsx';
import { tableText } from './texts.ts';

/** The most labels listed one by one. */
const LISTED = 30;

interface LabelsProps {
  readonly classes: readonly string[];
  readonly uses: readonly LabelUse[];
  readonly labels: LabelMap;
  /** True where the choices came from an earlier file with these columns. */
  readonly kept: boolean;
  readonly onChange: (labels: LabelMap) => void;
}

/** The labels that are not written as the classes are, each with the class that it becomes. */
export function Labels({ classes, uses, labels, kept, onChange }: LabelsProps) {
  const t = tableText();
  if (uses.length === 0) return null;
  return (
    <section class="stack tight" data-testid="table-labels" aria-labelledby="table-labels-title">
      <h4 id="table-labels-title" class="eyebrow">
        {t.labels}
      </h4>
      <p class="small">
        {t.labelsHelp} {kept && t.labelsKept}
      </p>
      <table class="preview">
        <thead>
          <tr>
            <th scope="col">{t.label}</th>
            <th scope="col">{t.rowsOf}</th>
            <th scope="col">{t.becomes}</th>
          </tr>
        </thead>
        <tbody>
          {uses.slice(0, LISTED).map(({ label, count, found }) => (
            <tr key={label}>
              <th scope="row">{shortened(label)}</th>
              <td class="figure">{formatNumber(count)}</td>
              <td>
                <select
                  class="input"
                  aria-label={t.classFor(shortened(label))}
                  value={found ?? ''}
                  disabled={busy.value}
                  onChange={(event) => {
                    const name = event.currentTarget.value;
                    onChange({ ...labels, [label]: name === '' ? null : name });
                  }}
                >
                  <option value="">{t.leaveOut}</option>
                  {classes.map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {uses.length > LISTED && <p class="small quiet">{t.moreLabels(uses.length - LISTED)}</p>}
    </section>
  );
}
