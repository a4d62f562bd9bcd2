import { type Plan, planFields } from '@coppice/protocol';
import { localized } from '@coppice/ui';
import { planFieldNames } from '../launch/plan-form.ts';
import { text } from './texts.ts';

export function PlanTable({ plan }: { plan: Plan }) {
  const t = text();
  return (
    <details>
      <summary>{t.plan}</summary>
      <table>
        <tbody>
          {planFieldNames.map((name) => (
            <tr key={name}>
              <th scope="row">{localized(planFields[name].label)}</th>
              <td>{plan[name] === null ? t.notSet : String(plan[name])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
