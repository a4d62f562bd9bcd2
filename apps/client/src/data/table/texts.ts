import { catalogue, formatNumber } from '@coppice/ui';

const n = (value: number) => formatNumber(value);

/** The texts of the adder of tables. */
export const tableText = catalogue(
  {
    title: 'Add a table',
    choose: 'Choose a file…',
    drop: 'CSV, Excel or Parquet. Or drop a file here. You see it before anything is added.',
    file: (name: string) => `File: ${name}`,
    waiting: (files: number) =>
      files === 1 ? '1 more file after this one' : `${n(files)} more files after this one`,
    opening: 'Reading the file…',
    cancel: 'Cancel',

    readAs: (how: string) => `Read as ${how}`,
    change: 'Change how it is read',
    encoding: 'Characters',
    separator: 'Cells are separated by',
    decimal: 'Decimal sign',
    thousands: 'Thousands sign',
    header: 'The first row holds the names of the columns',
    titleRows: 'Rows above the table',
    sheet: 'Sheet',
    comma: 'comma',
    semicolon: 'semicolon',
    tab: 'tab',
    bar: 'vertical bar',
    spaces: 'spaces',
    space: 'space',
    point: 'point',
    apostrophe: 'apostrophe',
    none: 'none',
    workbook: 'an Excel workbook',
    parquet: 'Parquet',
    separatedBy: (what: string) => `separated by ${what}`,
    decimalSign: (what: string) => `decimal ${what}`,
    named: 'columns have names',
    unnamed: 'no names of columns',
    skippedTitles: (rows: number) =>
      rows === 1 ? '1 row above the table' : `${n(rows)} rows above the table`,
    join: ', ',

    rows: (shown: number, total: number) => `First ${n(shown)} of ${n(total)} rows`,
    columnsShown: (shown: number, total: number) => `${n(shown)} of ${n(total)} columns are shown.`,

    foundAll: (count: number) =>
      count === 1
        ? 'The column was found by its name.'
        : `All ${n(count)} columns were found by their names.`,
    foundSome: (found: number, count: number) =>
      `${n(found)} of ${n(count)} columns were found by their names. Choose the others:`,
    foundNone: 'No column was found by its name. Choose which column holds what:',
    inOrder: 'Take the columns in this order',
    inOrderHelp: (names: string) =>
      `The file has no names of columns. In the order of the task they are: ${names}.`,
    all: 'Show all columns',
    page: (from: number, to: number, of: number) => `${n(from)}–${n(to)} of ${n(of)}`,
    previous: 'Previous',
    next: 'Next',
    column: (name: string) => `Column for “${name}”`,
    choice: '– choose –',
    search: (name: string) => `Name of the column for “${name}”`,
    incomplete: 'Choose a column for each first.',

    labels: 'Labels and classes',
    labelsHelp:
      'These labels are not written as the classes are. Choose a class for each, or leave its rows out.',
    labelsKept: 'Your choice of last time is filled in.',
    label: 'Label in the file',
    rowsOf: 'Rows',
    becomes: 'Becomes',
    classFor: (label: string) => `Class for “${label}”`,
    leaveOut: 'left out',
    moreLabels: (count: number) =>
      count === 1 ? '1 more label is left out.' : `${n(count)} more labels are left out.`,
    confusable: (one: string, other: string) =>
      `The classes “${one}” and “${other}” differ only by case. Each label is taken exactly as it is written.`,

    fits: (rows: number, total: number) =>
      rows === total
        ? total === 1
          ? 'The row fits.'
          : `All ${n(total)} rows fit.`
        : `${n(rows)} of ${n(total)} rows fit.`,
    fitsNone: (total: number) =>
      total === 1 ? 'The row does not fit:' : `None of the ${n(total)} rows fits:`,
    leftOut: (count: number) => `${n(count)} ${count === 1 ? 'row is' : 'rows are'} left out:`,
    checking: 'Checking the rows…',
    add: (rows: number) => (rows === 1 ? 'Add 1 row' : `Add ${n(rows)} rows`),
    added: (count: number) =>
      count === 0 ? 'No rows added.' : `${n(count)} ${count === 1 ? 'row' : 'rows'} added.`,
    skipped: (count: number) => `${n(count)} ${count === 1 ? 'row' : 'rows'} skipped:`,
    both: (added: string, skipped: string) => `${added} ${skipped}`,
    reason: (column: string, why: string) => (column === '' ? why : `${column}: ${why}`),
    missing: (rows: number, first: number) =>
      rows === 1
        ? `no value in row ${n(first)}`
        : `no value in ${n(rows)} rows, the first is row ${n(first)}`,
    notNumber: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)} is not a number`
        : `not a number in ${n(rows)} rows, such as “${value}” in row ${n(first)}`,
    range: (value: string, rows: number, first: number) =>
      rows === 1
        ? `${value} in row ${n(first)} is out of range`
        : `out of range in ${n(rows)} rows, such as ${value} in row ${n(first)}`,
    unknownClass: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)} is not a class`
        : `“${value}” is not a class (${n(rows)} rows, the first is row ${n(first)})`,
    tooMany: (value: string, rows: number, first: number) =>
      rows === 1
        ? `row ${n(first)} has more cells than there are columns, from “${value}” on`
        : `${n(rows)} rows have more cells than there are columns, the first is row ${n(first)}`,
    more: (rows: number) => `and ${n(rows)} more`,
    unlisted: (values: number) =>
      values === 1
        ? '1 value is not in the task’s list and was taken as any other value:'
        : `${n(values)} values are not in the task’s list and were taken as any other value:`,
    unlistedValue: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)}`
        : `“${value}” in ${n(rows)} rows, the first is row ${n(first)}`,
    refused: (name: string) => `${name} was not added.`,
    classes: (names: string) => `The classes are ${names}. Labels must be one of these names.`,
    quoted: (name: string) => `“${name}”`,
    others: (count: number) => `and ${n(count)} more`,
  },
  {
    title: '添加表格',
    choose: '选择文件…',
    drop: '支持 CSV、Excel 或 Parquet，也可拖到这里。添加之前会先给你预览。',
    file: (name) => `文件：${name}`,
    waiting: (files) => `之后还有 ${n(files)} 个文件`,
    opening: '正在读取文件……',
    cancel: '取消',

    readAs: (how) => `读取方式：${how}`,
    change: '更改读取方式',
    encoding: '字符编码',
    separator: '单元格之间的分隔符',
    decimal: '小数点符号',
    thousands: '千位分隔符',
    header: '第一行是列名',
    titleRows: '表格上方的行数',
    sheet: '工作表',
    comma: '逗号',
    semicolon: '分号',
    tab: '制表符',
    bar: '竖线',
    spaces: '空格',
    space: '空格',
    point: '句点',
    apostrophe: '撇号',
    none: '无',
    workbook: 'Excel 工作簿',
    parquet: 'Parquet',
    separatedBy: (what) => `以${what}分隔`,
    decimalSign: (what) => `小数点为${what}`,
    named: '有列名',
    unnamed: '没有列名',
    skippedTitles: (rows) => `表格上方有 ${n(rows)} 行`,
    join: '、',

    rows: (shown, total) => `前 ${n(shown)} 行，共 ${n(total)} 行`,
    columnsShown: (shown, total) => `显示 ${n(total)} 列中的 ${n(shown)} 列。`,

    foundAll: (count) => `已按列名找到全部 ${n(count)} 列。`,
    foundSome: (found, count) => `已按列名找到 ${n(count)} 列中的 ${n(found)} 列。请选择其余各列：`,
    foundNone: '没有按列名找到任何列。请选择哪一列是什么：',
    inOrder: '按此顺序对应各列',
    inOrderHelp: (names) => `文件没有列名。按任务的顺序，各列依次为：${names}。`,
    all: '显示所有列',
    page: (from, to, of) => `第 ${n(from)}–${n(to)} 列，共 ${n(of)} 列`,
    previous: '上一页',
    next: '下一页',
    column: (name) => `“${name}”对应的列`,
    choice: '– 请选择 –',
    search: (name) => `“${name}”对应的列名`,
    incomplete: '请先为每一项选择一列。',

    labels: '标签与类别',
    labelsHelp: '这些标签与类别的写法不同。请为每个标签选择类别，或不使用这些行。',
    labelsKept: '已填入你上次的选择。',
    label: '文件中的标签',
    rowsOf: '行数',
    becomes: '归为',
    classFor: (label) => `“${label}”对应的类别`,
    leaveOut: '不使用',
    moreLabels: (count) => `另有 ${n(count)} 个标签不会使用。`,
    confusable: (one, other) => `类别“${one}”和“${other}”只有大小写不同。每个标签都严格按写法归类。`,

    fits: (rows, total) =>
      rows === total ? `全部 ${n(total)} 行都可用。` : `${n(total)} 行中有 ${n(rows)} 行可用。`,
    fitsNone: (total) => `${n(total)} 行都不可用：`,
    leftOut: (count) => `有 ${n(count)} 行不会使用：`,
    checking: '正在检查各行……',
    add: (rows) => `添加 ${n(rows)} 行`,
    added: (count) => (count === 0 ? '未添加任何行。' : `已添加 ${n(count)} 行。`),
    skipped: (count) => `已跳过 ${n(count)} 行：`,
    both: (added, skipped) => `${added}${skipped}`,
    reason: (column, why) => (column === '' ? why : `${column}：${why}`),
    missing: (rows, first) =>
      rows === 1 ? `第 ${n(first)} 行没有值` : `${n(rows)} 行没有值，首次出现在第 ${n(first)} 行`,
    notNumber: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”不是数字`
        : `${n(rows)} 行不是数字，例如第 ${n(first)} 行的“${value}”`,
    range: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的 ${value} 超出范围`
        : `${n(rows)} 行超出范围，例如第 ${n(first)} 行的 ${value}`,
    unknownClass: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”不是类别名`
        : `“${value}”不是类别名（${n(rows)} 行，首次出现在第 ${n(first)} 行）`,
    tooMany: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的单元格比列多，从“${value}”起多出`
        : `${n(rows)} 行的单元格比列多，首次出现在第 ${n(first)} 行`,
    more: (rows) => `另有 ${n(rows)} 行`,
    unlisted: (values) => `有 ${n(values)} 处的值不在任务列出的值之中，已按“其他值”处理：`,
    unlistedValue: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”`
        : `“${value}”（${n(rows)} 行，首次出现在第 ${n(first)} 行）`,
    refused: (name) => `未添加 ${name}。`,
    classes: (names) => `类别有：${names}。标签必须是其中之一。`,
    quoted: (name) => `“${name}”`,
    others: (count) => `另外 ${n(count)} 个`,
  },
);
