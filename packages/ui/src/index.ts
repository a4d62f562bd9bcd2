// The menu of this room. Inside the room, import the file.
export { Confirm } from './components/confirm.tsx';
export { Mark } from './components/mark.tsx';
export { Preferences } from './components/preferences.tsx';
export {
  catalogue,
  formatBytes,
  formatDateTime,
  formatDuration,
  formatNumber,
  formatShare,
  formatTime,
  type Language,
  language,
  languages,
  localized,
  type Message,
  setLanguage,
  startLanguage,
  type Translation,
} from './i18n.ts';
export { setTheme, startTheme, type Theme, theme } from './theme.ts';
