/** The languages of the pages. */
export type ChartLanguage = 'en' | 'zh';

const en = {
  chart: 'Chart',
  table: 'Table',
  showTable: 'Show as table',
  showChart: 'Show as chart',
  csv: 'CSV',
  png: 'PNG',
  saveCsv: 'Save the numbers as CSV',
  savePng: 'Save the picture as PNG',
  log: 'Log scale',
  total: 'total',
  keys: 'Left and right arrow keys step through the values.',
  endsAt: (label: string, last: string, x: string) => `${label}: ${last} at ${x}`,
  line: (label: string, v: { last: string; lastX: string; best: string; bestX: string; worst: string }) =>
    `${label}: last ${v.last} at ${v.lastX}, best ${v.best} at ${v.bestX}, worst ${v.worst}`,
  bars: (count: number, last: string, lastX: string, max: string, maxX: string) =>
    `${count} bars; last ${last} at ${lastX}, largest ${max} at ${maxX}.`,
};

const zh: typeof en = {
  chart: '图',
  table: '表格',
  showTable: '以表格显示',
  showChart: '以图显示',
  csv: 'CSV',
  png: 'PNG',
  saveCsv: '把数据存为 CSV',
  savePng: '把图存为 PNG',
  log: '对数坐标',
  total: '合计',
  keys: '用左右方向键逐点查看数值。',
  endsAt: (label, last, x) => `${label}:${x}为 ${last}`,
  line: (label, v) => `${label}:最新 ${v.last}(${v.lastX}),最好 ${v.best}(${v.bestX}),最差 ${v.worst}`,
  bars: (count, last, lastX, max, maxX) => `共 ${count} 根柱;最新 ${last}(${lastX}),最大 ${max}(${maxX})。`,
};

const catalogues = { en, zh };

/** The words that charts bring themselves; titles and labels come from the page. */
export function chartWords(language: ChartLanguage): typeof en {
  return catalogues[language];
}
