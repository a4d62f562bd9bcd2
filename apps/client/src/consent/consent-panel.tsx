import { termsVersion } from '@coppice/protocol';
import { formatDateTime, localized } from '@coppice/ui';
import { computed } from '@preact/signals';
import { saveFile } from '../data/save-file.ts';
import { away, session } from '../link/session.ts';
import { agreeTo, withdrawConsent } from '../run/actions.ts';
import { agreeToLater, laterTerms } from '../run/later-runs.ts';
import { chosenId, chosenTask, plan, stage } from '../run/run.ts';
import { CONSENT_VERSION, consentTo, receipt } from './consent.ts';
import { labelFacts } from './label-facts.ts';
import { labelRows, labelText, statements } from './statements.ts';

const NOTHING = { parameters: 0, trainable: 0, frozen: 0 };
const facts = computed(() => labelFacts(chosenTask.value ?? NOTHING, plan.value));

/** The privacy label and the agreement; after agreement, one line of it remains. */
export function ConsentPanel() {
  const t = labelText();
  if (chosenTask.value === null) return null;
  const consent = consentTo(chosenId.value);
  if (consent === null && stage.value === 'over') return null;
  return (
    <section class="sheet stack" aria-labelledby="consent-title" id="consent">
      <h2 id="consent-title">{consent === null ? t.consentTitle : t.agreedTitle}</h2>
      {/* One checkbox for both states, so that whoever ticks it by keyboard stays on it. */}
      <details class="fold" open={consent === null}>
        <summary>{t.title}</summary>
        <PrivacyLabel />
      </details>
      <label class="choice consent">
        <input
          type="checkbox"
          data-testid="consent"
          checked={consent !== null}
          disabled={consent === null && (session.operator.value === null || away.value)}
          onChange={() =>
            consent === null
              ? agreeTo(statements(facts.value, session.operator.value ?? '', { secure: isSecureContext }))
              : void withdrawConsent()
          }
        />
        <span>
          {t.agree}{' '}
          <span class="small quiet">
            {consent === null
              ? away.value
                ? t.agreeAway
                : t.version(CONSENT_VERSION)
              : t.agreed(formatDateTime(consent.agreedAt), consent.version)}
          </span>
        </span>
      </label>
      {consent !== null && (
        <label class="choice">
          <input
            type="checkbox"
            data-testid="later-runs"
            checked={laterTerms(consent.task) !== null}
            onChange={() =>
              agreeToLater(consent.task, laterTerms(consent.task) === null ? termsVersion(facts.value) : null)
            }
          />
          <span>{t.later}</span>
        </label>
      )}
      {consent !== null && (
        <div class="row">
          <button
            type="button"
            class="button small"
            data-testid="receipt"
            onClick={() =>
              saveFile(`coppice-receipt-${consent.run}.json`, 'application/json', receipt(consent))
            }
          >
            {t.receipt}
          </button>
          <button
            type="button"
            class="button small"
            data-testid="withdraw"
            onClick={() => void withdrawConsent()}
          >
            {t.withdraw}
          </button>
        </div>
      )}
    </section>
  );
}

function PrivacyLabel() {
  const t = labelText();
  return (
    <div class="privacy-label stack tight">
      <dl>
        {labelRows(facts.value).map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="small">{localized(facts.value.label.inference)}</p>
      {!isSecureContext && (
        <p class="small" data-testid="open-key">
          {t.openKey}
        </p>
      )}
      <p class="small quiet">
        {t.process(session.operator.value || t.theOperator)} {t.stays} {t.leavesAnytime} {t.network}
      </p>
    </div>
  );
}
