/** A labelled text input; tests find it by its id. */
export function TextInput({
  id,
  label,
  value,
  onInput,
  type = 'text',
  autocomplete = 'off',
  help,
}: {
  id: string;
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: 'text' | 'password';
  autocomplete?: 'off' | 'username' | 'current-password' | 'new-password';
  help?: string;
}) {
  const shared = {
    id,
    class: 'input',
    autocomplete,
    'data-testid': id,
    'aria-describedby': help === undefined ? undefined : `${id}-help`,
    value,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'password' ? (
        <input {...shared} type="password" onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input {...shared} type="text" onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      {help !== undefined && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}
