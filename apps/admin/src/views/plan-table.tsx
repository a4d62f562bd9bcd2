import {
  type Plan,
  type PlanFieldName,
  type PlanValue,
  planDescription,
  planFields,
  type Run,
} from '@coppice/protocol';
import { catalogue, formatNumber, localized } from '@coppice/ui';
import { formSections, planFieldNames } from '../launch/plan-form.ts';
import { CopyButton } from './parts.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    changed: (n: string) => `Changes from the general defaults (marked): ${n}.`,
    usual: (value: string) => `default ${value}`,
    json: 'Copy as JSON',
  },
  {
    changed: (n) => `${n} 个字段与一般默认值不同，已标出。`,
    usual: (value) => `默认 ${value}`,
    json: '复制为 JSON',
  },
);

/** A value as in the form: an option by its label, `null` as "not set". */
export function planValue(name: PlanFieldName, value: PlanValue): string {
  if (value === null) return shared().notSet;
  const { input } = planFields[name];
  if (input.kind === 'choice') {
    const option = input.options.find((one) => one.value === value);
    return option === undefined ? String(value) : localized(option.label);
  }
  return typeof value === 'number'
    ? formatNumber(value, { maximumSignificantDigits: 12, useGrouping: false })
    : value;
}

/** The run's whole plan, with changed fields marked. */
export function PlanTable({ run }: { run: Run }) {
  const t = text();
  const { plan } = run;
  const usual = planDescription.defaultsFor(plan.strategy);
  const changed = planFieldNames.filter(
    (name) => plan[name] !== (name === 'strategy' ? planFields.strategy.default : usual[name]),
  );
  return (
    <section class="stack">
      <div class="row between">
        <h2>{shared().plan}</h2>
        <CopyButton label={t.json} value={JSON.stringify({ task: run.task, plan }, null, 2)} />
      </div>
      <p class="small quiet">{t.changed(formatNumber(changed.length))}</p>
      <div class="plan-columns">
        {formSections(plan.strategy).map(({ id, title, names }) => (
          <div key={id}>
            <h3 class="eyebrow">{localized(title)}</h3>
            <dl class="facts">
              {names.map((name) => (
                <Fact key={name} name={name} plan={plan} usual={usual[name] ?? null} />
              ))}
            </dl>
          </div>
        ))}
      </div>
    </section>
  );
}

function Fact({ name, plan, usual }: { name: PlanFieldName; plan: Plan; usual: PlanValue }) {
  const differs = plan[name] !== usual;
  return (
    <div class={differs ? 'differs' : ''}>
      <dt>{localized(planFields[name].label)}</dt>
      <dd>
        {planValue(name, plan[name] ?? null)}
        {differs && <span class="small quiet"> {text().usual(planValue(name, usual))}</span>}
      </dd>
    </div>
  );
}
