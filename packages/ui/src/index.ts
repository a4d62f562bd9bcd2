// The menu of this room. Inside the room, import the file.
export { LineChart, type LineChartProps } from './charts/line-chart.tsx';
export { Swatch } from './charts/line-legend.tsx';
export type { Line, LineScale } from './charts/line-plot.ts';
export { PairedBars } from './charts/paired-bars.tsx';
export { saveText } from './charts/save.ts';
export type { Point } from './charts/smooth.ts';
export { Sparkline } from './charts/sparkline.tsx';
export { type Bar, type Segment, StackedBars } from './charts/stacked-bars.tsx';
export { extremes } from './charts/table-data.ts';
export { Waterfall, type WaterfallRow } from './charts/waterfall.tsx';
export { Confirm } from './components/confirm.tsx';
export { Masthead } from './components/masthead.tsx';
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
