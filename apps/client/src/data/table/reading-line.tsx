import type { Reading, ReadingChoices, Separator, ThousandsSign } from '@coppice/datasets/reading';
import type { ComponentChildren } from 'preact';
import { busy } from '../data.ts';
import { tableText } from './texts.ts';

/** Encodings that files have; the labels are those of the WHATWG standard. */
const encodings = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-kr',
  'windows-1252',
  'windows-1250',
  'windows-1251',
] as const;

type Words = ReturnType<typeof tableText>;
const separatorWords = (t: Words): Readonly<Record<Separator, string>> => ({
  ',': t.comma,
  ';': t.semicolon,
  '\t': t.tab,
  '|': t.bar,
  ' ': t.spaces,
});
const thousandsWords = (t: Words): Readonly<Record<ThousandsSign, string>> => ({
  ',': t.comma,
  '.': t.point,
  ' ': t.space,
  "'": t.apostrophe,
});

interface ReadingLineProps {
  readonly reading: Reading;
  readonly choices: ReadingChoices;
  readonly onChange: (choices: ReadingChoices) => void;
}

/** The reading of a file in one line, and all that was guessed in a fold, to be corrected. */
export function ReadingLine({ reading, choices, onChange }: ReadingLineProps) {
  const t = tableText();
  const change = (next: ReadingChoices) => onChange({ ...choices, ...next });
  const encodingsThere =
    reading.encoding !== null && !(encodings as readonly string[]).includes(reading.encoding)
      ? [reading.encoding, ...encodings]
      : encodings;
  return (
    <details class="fold" data-testid="table-reading">
      <summary>
        <span data-testid="table-read-as">{t.readAs(inWords(reading))}</span>
      </summary>
      <fieldset class="mapping">
        <legend>{t.change}</legend>
        {reading.sheets.length > 1 && (
          <Choice id="sheet" label={t.sheet} value={reading.sheet ?? ''} set={(sheet) => change({ sheet })}>
            {reading.sheets.map((sheet) => (
              <option key={sheet} value={sheet}>
                {sheet}
              </option>
            ))}
          </Choice>
        )}
        {reading.encoding !== null && (
          <Choice
            id="encoding"
            label={t.encoding}
            value={reading.encoding}
            set={(encoding) => change({ encoding })}
          >
            {encodingsThere.map((encoding) => (
              <option key={encoding} value={encoding}>
                {encoding.toUpperCase()}
              </option>
            ))}
          </Choice>
        )}
        {reading.separator !== null && (
          <Choice
            id="separator"
            label={t.separator}
            value={reading.separator}
            set={(separator) => change({ separator: separator as Separator })}
          >
            {Object.entries(separatorWords(t)).map(([separator, word]) => (
              <option key={separator} value={separator}>
                {word}
              </option>
            ))}
          </Choice>
        )}
        {reading.kind !== 'parquet' && (
          <>
            <Choice
              id="decimal"
              label={t.decimal}
              value={reading.decimal}
              set={(decimal) => change({ decimal: decimal as '.' | ',' })}
            >
              <option value=".">{t.point}</option>
              <option value=",">{t.comma}</option>
            </Choice>
            <Choice
              id="thousands"
              label={t.thousands}
              value={reading.thousands ?? ''}
              set={(sign) => change({ thousands: sign === '' ? null : (sign as ThousandsSign) })}
            >
              <option value="">{t.none}</option>
              {Object.entries(thousandsWords(t)).map(([sign, word]) => (
                <option key={sign} value={sign}>
                  {word}
                </option>
              ))}
            </Choice>
            <div class="field">
              <label for="table-title-rows">{t.titleRows}</label>
              <input
                id="table-title-rows"
                class="input"
                type="number"
                min={0}
                max={1000}
                value={reading.titleRows}
                disabled={busy.value}
                onChange={(event) => {
                  const titleRows = Math.floor(event.currentTarget.valueAsNumber);
                  if (titleRows >= 0) change({ titleRows });
                }}
              />
            </div>
            <label class="check">
              <input
                type="checkbox"
                data-testid="table-header"
                checked={reading.header}
                disabled={busy.value}
                onChange={(event) => change({ header: event.currentTarget.checked })}
              />
              {t.header}
            </label>
          </>
        )}
      </fieldset>
    </details>
  );
}

function Choice({
  id,
  label,
  value,
  set,
  children,
}: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={`table-${id}`}>{label}</label>
      <select
        id={`table-${id}`}
        class="input"
        value={value}
        disabled={busy.value}
        onChange={(event) => set(event.currentTarget.value)}
      >
        {children}
      </select>
    </div>
  );
}

/** The reading in words: "UTF-8, separated by semicolon, decimal comma, columns have names". */
function inWords({ kind, encoding, separator, decimal, header, titleRows, sheet, sheets }: Reading): string {
  const t = tableText();
  if (kind === 'parquet') return t.parquet;
  const parts = [
    ...(kind === 'xlsx' ? [t.workbook, ...(sheets.length > 1 && sheet !== null ? [sheet] : [])] : []),
    ...(encoding === null ? [] : [encoding.toUpperCase()]),
    ...(separator === null ? [] : [t.separatedBy(separatorWords(t)[separator])]),
    ...(decimal === ',' ? [t.decimalSign(t.comma)] : []),
    ...(titleRows > 0 ? [t.skippedTitles(titleRows)] : []),
    header ? t.named : t.unnamed,
  ];
  return parts.join(t.join);
}
