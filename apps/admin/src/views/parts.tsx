import type { CoppiceError } from '@coppice/protocol';
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { problem } from './act.ts';
import { failureText } from './failure-text.ts';
import { text } from './texts.ts';

/** Button that copies a text, and confirms it for a moment. */
export function CopyButton({ value, label, testId }: { value: string; label?: string; testId?: string }) {
  const t = text();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button type="button" class="button small" data-testid={testId} onClick={() => void copy()}>
      <span aria-live="polite">{copied ? t.copied : (label ?? t.copy)}</span>
    </button>
  );
}

/** A table that scrolls inside itself on a narrow screen, by keyboard too. */
export function Scroll({
  label,
  testId,
  low = false,
  children,
}: {
  label: string;
  testId?: string;
  /** True for limited height: scrolls vertically as well. */
  low?: boolean;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class={low ? 'scroll low' : 'scroll'} aria-label={label} data-testid={testId} tabIndex={0}>
      {children}
    </section>
  );
}

/** A failure of an action, with its code; in languages other than English, the coordinator's details follow. */
export function FailureSaid({ error }: { error: CoppiceError }) {
  const said = failureText(error);
  return (
    <>
      {said} <code>{error.code}</code>
      {said !== error.message && (
        <span class="block small" lang="en">
          {error.message}
        </span>
      )}
    </>
  );
}

/** The last failure of an action, with its code. */
export function Problem() {
  const error = problem.value;
  if (error === null) return null;
  return (
    <p class="note bad" role="alert">
      <FailureSaid error={error} />
    </p>
  );
}

export function Figure({
  label,
  value,
  detail,
  testId,
}: {
  label: string;
  value: string;
  detail?: string | undefined;
  testId?: string;
}) {
  return (
    <div class="admin-figure">
      <span class="eyebrow">{label}</span>
      <span class="admin-figure-value" data-testid={testId}>
        {value}
      </span>
      {detail !== undefined && <span class="small quiet">{detail}</span>}
    </div>
  );
}

/** Current time, updated every second for countdowns: one clock for the page. */
export const tick = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') tick.value = Date.now();
}, 1000);

/** A secret that is shown only once. */
export function Shown({
  text: why,
  value,
  testId,
  children,
}: {
  text: string;
  value: string;
  testId: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="note good stack tight" role="status">
      <p>{why}</p>
      <p class="row">
        <code class="anywhere" data-testid={testId}>
          {value}
        </code>
        <CopyButton value={value} />
      </p>
      {children}
    </div>
  );
}
