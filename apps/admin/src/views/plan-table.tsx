import { defaultPlan, type Plan, type PlanFieldName, planFields, type Run } from '@coppice/protocol';
import { catalogue, formatNumber, localized } from '@coppice/ui';
import { planFieldNames, planGroups } from '../launch/plan-form.ts';
import { groupWords } from '../words.ts';
import { CopyButton } from './parts.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    changed: (n: string) => `${n} fields differ from the general defaults; they are marked.`,
    usual: (value: string) => `default ${value}`,
    json: 'Copy as JSON',
  },
  {
    changed: (n) => `${n} 个字段与一般默认值不同，已标出。`,
    usual: (value) => `默认 ${value}`,
    json: '复制为 JSON',
  },
);

/** A value as the form says it: a choice by its name, nothing as "not set". */
export function planValue(name: PlanFieldName, value: string | number | null): string {
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

/** The run's plan, whole, with what was changed marked. */
export function PlanTable({ run }: { run: Run }) {
  const t = text();
  const { plan } = run;
  const changed = planFieldNames.filter((name) => plan[name] !== defaultPlan[name]);
  return (
    <section class="stack">
      <div class="row between">
        <h2>{shared().plan}</h2>
        <CopyButton label={t.json} value={JSON.stringify({ task: run.task, plan }, null, 2)} />
      </div>
      <p class="small quiet">{t.changed(formatNumber(changed.length))}</p>
      <div class="plan-columns">
        {planGroups.map((group) => (
          <div key={group}>
            <h3 class="eyebrow">{groupWords()[group]}</h3>
            <dl class="facts">
              {planFieldNames
                .filter((name) => planFields[name].group === group)
                .map((name) => (
                  <Fact key={name} name={name} plan={plan} />
                ))}
            </dl>
          </div>
        ))}
      </div>
    </section>
  );
}

function Fact({ name, plan }: { name: PlanFieldName; plan: Plan }) {
  const usual = defaultPlan[name];
  const differs = plan[name] !== usual;
  return (
    <div class={differs ? 'differs' : ''}>
      <dt>{localized(planFields[name].label)}</dt>
      <dd>
        {planValue(name, plan[name])}
        {differs && <span class="small quiet"> {text().usual(planValue(name, usual))}</span>}
      </dd>
    </div>
  );
}
