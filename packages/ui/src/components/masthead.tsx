import type { ComponentChildren } from 'preact';
import { Mark } from './mark.tsx';
import { Preferences } from './preferences.tsx';

/** The head of both pages: name, short description, state, language and theme. */
export function Masthead({
  href,
  claim,
  children,
}: {
  readonly href: string;
  readonly claim: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <header class="masthead">
      <a class="brand" href={href}>
        <Mark size={34} />
        <span>
          Coppice <span class="small quiet claim">{claim}</span>
        </span>
      </a>
      <div class="row">
        {children}
        <Preferences />
      </div>
    </header>
  );
}
