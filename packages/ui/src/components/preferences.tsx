import { catalogue, type Language, language, languages, setLanguage } from '../i18n.ts';
import { setTheme, type Theme, theme } from '../theme.ts';

const text = catalogue(
  { language: 'Language', theme: 'Appearance', system: 'System', light: 'Light', dark: 'Dark' },
  { language: '语言', theme: '外观', system: '跟随系统', light: '浅色', dark: '深色' },
);

/** The two settings in both pages' header: language and appearance. */
export function Preferences() {
  const t = text();
  return (
    <div class="row preferences">
      <select
        class="input"
        data-testid="language"
        aria-label={t.language}
        value={language.value}
        onChange={(event) => setLanguage(event.currentTarget.value as Language)}
      >
        {languages.map(({ code, name }) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      <select
        class="input"
        data-testid="theme"
        aria-label={t.theme}
        value={theme.value}
        onChange={(event) => setTheme(event.currentTarget.value as Theme)}
      >
        <option value="system">{t.system}</option>
        <option value="light">{t.light}</option>
        <option value="dark">{t.dark}</option>
      </select>
    </div>
  );
}
