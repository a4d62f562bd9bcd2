import { catalogue } from '../i18n.ts';

interface Change {
  readonly group: string;
  readonly from: string;
  readonly to: string;
}

/** The charts' own texts; titles and labels come from the page. */
export const chartWords = catalogue(
  {
    table: 'Table',
    showTable: 'Show as a table',
    showChart: 'Show as a chart',
    csv: 'CSV',
    json: 'JSON',
    png: 'PNG',
    saveCsv: 'Save the numbers as CSV',
    saveJson: 'Save the numbers as JSON',
    savePng: 'Save the picture as PNG',
    log: 'Log scale',
    total: 'Total',
    keys: 'Left and right arrow keys step through the values.',
    join: '; ',
    stop: '.',
    ends: (label: string, last: string, x: string) => `${label} ${last} at ${x}`,
    line: (label: string, v: { last: string; lastX: string; best: string; bestX: string }) =>
      `${label} ${v.last} at ${v.lastX}, best ${v.best} at ${v.bestX}`,
    bars: (last: string, lastX: string, max: string, maxX: string) =>
      `${last} in ${lastX}; at most ${max}, in ${maxX}.`,
    pairs: (more: Change, less: Change) =>
      `Largest increase: ${more.group}, ${more.from} to ${more.to}. Largest decrease: ${less.group}, ${less.from} to ${less.to}.`,
    apart: (group: string, first: string, second: string) =>
      `Largest difference: ${group} (${first}, ${second}).`,
  },
  {
    table: '表格',
    showTable: '以表格显示',
    showChart: '以图显示',
    csv: 'CSV',
    json: 'JSON',
    png: 'PNG',
    saveCsv: '把数据存为 CSV',
    saveJson: '把数据存为 JSON',
    savePng: '把图存为 PNG',
    log: '对数坐标',
    total: '合计',
    keys: '用左右方向键逐点查看数值。',
    join: '；',
    stop: '。',
    ends: (label, last, x) => `${label} ${last}（${x}）`,
    line: (label, v) => `${label} ${v.last}（${v.lastX}），最好 ${v.best}（${v.bestX}）`,
    bars: (last, lastX, max, maxX) => `${lastX} ${last}；最大 ${max}（${maxX}）。`,
    pairs: (more, less) =>
      `增加最多：${more.group}，${more.from} → ${more.to}。减少最多：${less.group}，${less.from} → ${less.to}。`,
    apart: (group, first, second) => `差别最大：${group}（${first}，${second}）。`,
  },
);
