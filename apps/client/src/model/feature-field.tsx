import type { Feature } from '@coppice/protocol';
import { catalogue, localized } from '@coppice/ui';
import { written } from './written.ts';

const text = catalogue({ other: 'Any other value' }, { other: '其他值' });

interface FeatureFieldProps {
  readonly id: string;
  readonly feature: Feature;
  /** As it is stored; NaN: none. */
  readonly value: number;
  readonly onValue: (value: number) => void;
}

/** The field of one column: a number, or a choice among its categories. */
export function FeatureField({ id, feature, value, onValue }: FeatureFieldProps) {
  if (feature.kind === 'category') {
    const { name, values, help } = feature;
    return (
      <div class="field">
        <label for={id}>{name}</label>
        <select
          id={id}
          class="input"
          aria-describedby={help === undefined ? undefined : `${id}-help`}
          value={value}
          onChange={(event) => onValue(Number(event.currentTarget.value))}
        >
          {values.map((one, index) => (
            <option key={one} value={index}>
              {one}
            </option>
          ))}
          <option value={values.length}>{text().other}</option>
        </select>
        {help !== undefined && (
          <span id={`${id}-help`} class="help">
            {localized(help)}
          </span>
        )}
      </div>
    );
  }
  const { name, unit, min, max } = feature;
  return (
    <div class="field">
      <label for={id}>
        {name}
        {unit !== undefined && <span class="quiet"> ({unit})</span>}
      </label>
      <input
        id={id}
        class="input"
        type="number"
        step="any"
        inputMode="decimal"
        {...(min === undefined ? {} : { min })}
        {...(max === undefined ? {} : { max })}
        value={Number.isNaN(value) ? '' : written(value)}
        onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
