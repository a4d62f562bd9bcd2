import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { ReadingChoices } from './choices.ts';
import { readTable } from './read-table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string, choices?: ReadingChoices) => readTable(bytes(text), choices);
const cellsOf = async (text: string, choices?: ReadingChoices) => {
  const table = await read(text, choices);
  return Array.from({ length: table.rows }, (_, row) => table.columns.map((column) => column.cellAt(row)));
};

describe('separators, quotation marks and lines', () => {
  it.each<[string, string, unknown[][]]>([
    [
      'commas',
      'a,b\n1,x\n2,y\n',
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
    [
      'tabs',
      'a\tb\n1\tx, or so\n2\ty\n',
      [
        [1, 'x, or so'],
        [2, 'y'],
      ],
    ],
    [
      'commas inside cells of semicolons',
      'a;b\n"1";x, or so\n2;"y; or z"\n',
      [
        [1, 'x, or so'],
        [2, 'y; or z'],
      ],
    ],
    [
      'runs of spaces at both ends',
      '  a   b\n  1   x \n 22   y\n',
      [
        [1, 'x'],
        [22, 'y'],
      ],
    ],
    [
      'Windows, old Mac and mixed line ends',
      'a,b\r\n1,x\r2,y\n3,z',
      [
        [1, 'x'],
        [2, 'y'],
        [3, 'z'],
      ],
    ],
    [
      'doubled marks',
      'a,b\n1,"say ""x"""\n2,"y"\n',
      [
        [1, 'say "x"'],
        [2, 'y'],
      ],
    ],
    [
      'a mark inside a cell',
      'a,b\n1,5" pipe\n2,y\n',
      [
        [1, '5" pipe'],
        [2, 'y'],
      ],
    ],
    [
      'blank lines',
      '\n\na,b\n\n1,x\n,\n2,y\n\n',
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
    [
      'separators at line ends',
      'a,b\n1,x,\n2,y,\n',
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
    [
      'short rows',
      'a,b,c\n1,x\n2,y,3\n4,z,5\n',
      [
        [1, 'x', null],
        [2, 'y', 3],
        [4, 'z', 5],
      ],
    ],
    [
      'quoted line ends',
      'a,b\n1,"x\r\ny"\n2,z\n',
      [
        [1, 'x\r\ny'],
        [2, 'z'],
      ],
    ],
    [
      'no line end at the end',
      'a;b\n1;\n2;x',
      [
        [1, null],
        [2, 'x'],
      ],
    ],
  ])('%s', async (_, text, cells) => {
    expect(await cellsOf(text)).toEqual(cells);
  });

  it('leaves rows with more cells out, and says which', async () => {
    const table = await read('a,b\n1,x\n2,y,z\n3,w\n4,v,,u\n');
    expect(table.rows).toBe(2);
    expect(table.wide).toEqual({ count: 2, row: 3, value: 'z' });
  });

  it('counts rows as a spreadsheet does', async () => {
    const table = await read('a title\n\nx,y,z\n1,2,3\n\n# no comment here\n4,5,6\n');
    expect(table.reading.titleRows).toBe(2);
    expect([0, 1, 2].map((row) => table.rowNumber(row))).toEqual([4, 6, 7]);
  });

  it('gives names to columns without one, and keeps names apart', async () => {
    const names = async (text: string) => (await read(text)).columns.map(({ name }) => name);
    expect(await names('a,a,b,a\n1,2,x,3\n')).toEqual(['a', 'a.1', 'b', 'a.2']);
    expect(await names('a,a,a.1\n1,2,x\n')).toEqual(['a', 'a.2', 'a.1']);
    expect(await names('a,,b\n1,2,x\n')).toEqual(['a', 'column 2', 'b']);
    expect(await names('a,b,,\n1,x,,\n')).toEqual(['a', 'b']);
  });
});

describe('the header', () => {
  it.each<[string, string, boolean]>([
    ['numbers in the first line', '1,2\n3,4\n', false],
    ['numbers that follow each other by chance', '1,2\n3,5\n', false],
    ['a name above numbers', 'a,b\n3,4\n', true],
    ['numbers beside words from the start', 'x,1\ny,2\n', false],
    ['words alone, all different', 'a,b\nc,d\n', true],
    ['words that come again', 'red,big\nblue,small\nred,small\n', false],
    ['years above numbers', 'country,2019,2020\nDE,5.1,3.5\nFR,4,2\n', true],
    ["pandas' numbers above a column of words", '0,1,2\n5.1,3.5,a\n4.9,3,b\n', true],
    ['a word above dates', 'day;n\n2024-03-05;1\n', true],
    ['dates from the start', '2024-03-05,north\n2024-03-06,south\n', false],
    ['a word above yes and no', 'sold\tkind\nyes\ta\nno\ta\n', true],
    ['numbers with missing values', 'a,b\nNA,4\n2,?\n', true],
  ])('%s', async (_, text, header) => {
    expect((await read(text)).reading.header).toBe(header);
    const other = await read(text, { header: !header });
    expect(other.reading.header).toBe(!header);
    expect(other.rows).toBe((await read(text)).rows + (header ? 1 : -1));
  });

  it('takes what a person decides about titles, comments and index columns', async () => {
    expect((await read('x,y\n1,2\na,b\n3,4\n', { titleRows: 2 })).columns.map(({ name }) => name)).toEqual([
      'a',
      'b',
    ]);
    expect(await cellsOf('# a,b\n#1,x\n#2,y\n', { comment: null })).toEqual([
      ['#1', 'x'],
      ['#2', 'y'],
    ]);
    expect(
      (await read(',a,b\n0,1,x\n1,2,y\n', { indexColumns: [] })).columns.map(({ index }) => index),
    ).toEqual([false, false, false]);
  });
});

describe('numbers', () => {
  it.each<[string, string, (number | string | null)[]]>([
    ['points', '1.5 2.25 -3 +4 .5 6. 1e3 1E-7 -0.0', [1.5, 2.25, -3, 4, 0.5, 6, 1000, 1e-7, -0]],
    ['17 digits', '0.30000000000000004 9007199254740993.5', [0.30000000000000004, 9007199254740994]],
    ['commas', '2,6 -200 0,7578 1e3', [2.6, -200, 0.7578, 1000]],
    ['commas and groups of points', '1.234,5 2.000.000 12,25', [1234.5, 2000000, 12.25]],
    ['groups of commas', '1,234 1,234,567.5 999', [1234, 1234567.5, 999]],
    ['groups of apostrophes', "1'234.5 2’000 7", [1234.5, 2000, 7]],
    ['currencies', '$1,234 €5 -$3 ￥7 ($ 2', [1234, 5, -3, 7, '($ 2']],
    ['full-width digits and a typographic minus', '１２．５ −3', [12.5, -3]],
    ['percent throughout', '12% 3.5% 100%', [12, 3.5, 100]],
    ['none', '1 2 3 NA 4 nan 5 ? - n/a', [1, 2, 3, null, 4, null, 5, null, null, null]],
    [
      'other texts',
      '1 2 3 4 0x10 Infinity 1_0 1..2 --3',
      [1, 2, 3, 4, '0x10', 'Infinity', '1_0', '1..2', '--3'],
    ],
  ])('%s', async (_, text, values) => {
    const rows = text.split(' ').map((cell) => cell.replace('($', '($ '));
    // The last text of the row of currencies has a space.
    const cells = rows.join('\n').replace('($ \n2', '($ 2').split('\n');
    const table = await read(`n|kind\n${cells.map((cell) => `${cell}|x`).join('\n')}\n`, {
      separator: '|',
      header: true,
    });
    expect(
      cells.map((_, row) => {
        const value = table.columns[0]?.numberAt(row) as number;
        return Number.isNaN(value) ? (table.columns[0]?.cellAt(row) as null) : value;
      }),
    ).toEqual(values.map((value) => value));
  });

  it('groups by spaces of any kind', async () => {
    expect(await cellsOf('n;k\n1 234,5;x\n2\u00a0000;y\n3\u202f000\u202f000;z\n')).toEqual([
      [1234.5, 'x'],
      [2000, 'y'],
      [3000000, 'z'],
    ]);
  });

  it('takes the format that a person decides, for the file or a column', async () => {
    const text = 'a;b\n1.234;1.234\n5.678;2.345\n';
    expect(await cellsOf(text)).toEqual([
      [1.234, 1.234],
      [5.678, 2.345],
    ]);
    expect(await cellsOf(text, { decimal: ',', thousands: '.' })).toEqual([
      [1234, 1234],
      [5678, 2345],
    ]);
    expect(await cellsOf(text, { formats: { 1: { decimal: ',', thousands: '.' } } })).toEqual([
      [1.234, 1234],
      [5.678, 2345],
    ]);
  });

  it('finds a format that only late rows show, and reads the file again', async () => {
    const early = Array.from({ length: 3000 }, (_, i) => `${i};a`).join('\n');
    const table = await read(`n;k\n${early}\n2,5;b\n`);
    expect(table.columns[0]).toMatchObject({ kind: 'number', format: { decimal: ',' } });
    expect(table.columns[0]?.numberAt(3000)).toBe(2.5);
  });

  it('keeps long identifiers and leading zeros as they are written', async () => {
    const table = await read('id,zip\n12345678901234567890,01067\n12345678901234567891,80331\n');
    expect(table.columns.map((column) => column.textAt(0))).toEqual(['12345678901234567890', '01067']);
  });

  it('reads any double back to the bit, in columns of any length', async () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(double, double), { minLength: 1, maxLength: 40 }), async (pairs) => {
        const table = await read(`p|q\n${pairs.map(([p, q]) => `${p}|${q}`).join('\n')}\n`, {
          separator: '|',
          header: true,
          decimal: '.',
        });
        const numbers = pairs.map((_, row) => table.columns.map((column) => column.numberAt(row)));
        // Whole numbers of more than 15 digits are texts; none of these doubles prints as one without being whole.
        expect(
          numbers.map(([p, q], row) =>
            [p, q].map((value, i) => (/^-?\d{16,}$/.test(String(pairs[row]?.[i])) ? pairs[row]?.[i] : value)),
          ),
        ).toEqual(pairs);
      }),
    );
  });

  it('keeps columns of many different numbers exactly, in the smallest arrays', async () => {
    const values = Array.from({ length: 9000 }, (_, i) => [i * 3, -i - 1, i / 7, 1.7e9 + i * 30, i % 200]);
    const table = await read(`a,b,c,d,e\n${values.map((row) => row.join(',')).join('\n')}\n`);
    for (const row of [0, 1, 2047, 2048, 4095, 4096, 5000, 8999])
      expect(table.columns.map((column) => column.numberAt(row))).toEqual(values[row]);
    expect(table.bytes).toBeLessThan(9000 * (4 + 4 + 8 + 4 + 1) + 20_000);
  });
});

describe('kinds of columns', () => {
  it.each<[string, string[], string]>([
    ['numbers', ['1', '2.5', ''], 'number'],
    ['numbers with a line of sums', ['1', '2', 'Total'], 'number'],
    ['numbers with missing values', ['1', 'NA', '?'], 'number'],
    ['tickets', ['1', '2', 'A5', 'PC 17'], 'text'],
    ['texts', ['a', 'b'], 'text'],
    ['yes and no', ['yes', 'no', 'Yes', ''], 'boolean'],
    ['是 and 否', ['是', '否'], 'boolean'],
    ['true and false', ['True', 'False'], 'boolean'],
    ['dates', ['2024-03-05', '2024-12-31'], 'date'],
    ['Chinese dates', ['2024年3月5日', '2024年12月31日'], 'date'],
    ['times', ['2024-03-05T10:00:00Z', '2024-03-05 11:30'], 'date'],
    ['impossible dates', ['2024-02-30', '2024-13-01'], 'text'],
    ['versions', ['1.2.3', '1.2.10'], 'text'],
    ['nothing', ['', ''], 'number'],
  ])('%s', async (_, cells, kind) => {
    const table = await read(`c|k\n${cells.map((cell) => `${cell}|x`).join('\n')}\n`, {
      separator: '|',
      header: true,
    });
    expect(table.columns[0]?.kind).toBe(kind);
  });

  it('counts days since 1970, and seconds where there are times of day', async () => {
    const numbers = async (dates: string[], choices: ReadingChoices = {}) => {
      const table = await read(`d|k\n${dates.map((date) => `${date}|x`).join('\n')}\n`, {
        separator: '|',
        header: true,
        ...choices,
      });
      return dates.map((_, row) => table.columns[0]?.numberAt(row));
    };
    const day = (text: string) => Date.parse(text) / 86_400_000;
    expect(await numbers(['1970-01-01', '1970-01-02', '2024-03-05'])).toEqual([0, 1, day('2024-03-05')]);
    expect(await numbers(['05.03.2024', '31.12.1999'])).toEqual([day('2024-03-05'), day('1999-12-31')]);
    expect(await numbers(['03/25/2024', '04/01/2024'])).toEqual([day('2024-03-25'), day('2024-04-01')]);
    expect(await numbers(['25/03/2024', '01/04/2024'])).toEqual([day('2024-03-25'), day('2024-04-01')]);
    expect(await numbers(['01/02/2024'], { dates: { 0: 'dmy' } })).toEqual([day('2024-02-01')]);
    expect(await numbers(['2024-03-05 10:00', '2024-03-05T10:00:01.5+02:00'])).toEqual([
      Date.parse('2024-03-05T10:00Z') / 1000,
      Date.parse('2024-03-05T08:00:01.5Z') / 1000,
    ]);
  });
});

describe('encodings', () => {
  const encoded = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

  it.each<[string, string, string, string]>([
    // By Python: "…".encode('windows-1252').hex() and the like.
    ['a degree sign', '6e2cb0430a312c780a', 'windows-1252', '°C'],
    ['a German word in capitals', '4752d6df452c6b0a312c780a', 'windows-1252', 'GRÖßE'],
    ['two accents in a row', '6372e9e92c6b0a312c780a', 'windows-1252', 'créé'],
    ['two characters of GBK', 'cac72c6b0a312c780a', 'gb18030', '是'],
    ['UTF-16 without a mark', '61002c0062000a0031002c0078000a00', 'utf-16le', 'a'],
  ])('%s', async (_, hex, encoding, name) => {
    const table = await readTable(encoded(hex), { header: true });
    expect(table.reading.encoding).toBe(encoding);
    expect(table.columns.some((column) => column.name === name)).toBe(true);
  });

  it('takes the encoding that a person decides, by any label of the standard', async () => {
    const table = await readTable(encoded('e92c6b0a312c780a'), { encoding: 'latin2' });
    expect(table.reading.encoding).toBe('iso-8859-2');
    await expect(readTable(encoded('e92c6b0a312c780a'), { encoding: 'nonsense' })).rejects.toMatchObject({
      code: 'data-invalid',
    });
  });

  it('looks at the whole file, and at pairs that lie in two parts of it', async () => {
    const line = '甲,1\n';
    const gbk = [0xbc, 0xd7, 0x2c, 0x31, 0x0a];
    // Five bytes a line: a mebibyte ends inside of one.
    const head = bytes('name,n\n');
    const body = new Uint8Array(gbk.length * 250_000);
    for (let i = 0; i < body.length; i++) body[i] = gbk[i % gbk.length] as number;
    const table = await readTable(new Blob([head, body]));
    expect(table.reading.encoding).toBe('gb18030');
    expect([table.rows, table.columns[0]?.blocks.texts]).toEqual([250_000, [line.slice(0, 1)]]);
  });
});

describe('files that are no tables', () => {
  it.each([
    ['a PNG picture', '89504e470d0a1a0a0000'],
    ['a JPEG picture', 'ffd8ffe000104a46'],
    ['a PDF document', '255044462d312e37'],
    ['.xls', 'd0cf11e0a1b11ae1'],
    ['a gzip archive', '1f8b0800'],
    ['binary data', '0102000000030000ffaa'],
  ])('%s', async (name, hex) => {
    await expect(readTable(new Uint8Array(Buffer.from(hex, 'hex')))).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining(name),
    });
  });

  it.each([
    ['', 'nothing'],
    ['\n\n', 'blank lines'],
    ['a,b\n', 'a header alone'],
  ])('%j: %s', async (text) => {
    await expect(read(text, { header: true })).rejects.toMatchObject({ code: 'data-empty' });
  });

  it('archives of other programs', async () => {
    const archive = (name: string) => zipSync({ [name]: strToU8('<x/>') });
    for (const [name, told] of [
      ['word/document.xml', 'Word'],
      ['content.xml', 'OpenDocument'],
      ['model.json', 'zip archive'],
    ] as const)
      await expect(readTable(archive(name))).rejects.toMatchObject({
        message: expect.stringContaining(told),
      });
  });
});

describe('hostile files', () => {
  const workbook = (sheet: string | Uint8Array) =>
    zipSync({
      'xl/workbook.xml': strToU8('<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'),
      'xl/worksheets/sheet1.xml': typeof sheet === 'string' ? strToU8(sheet) : sheet,
    });

  it('more columns than any table', async () => {
    const row = (cell: string) => Array.from({ length: 10_000 }, () => cell).join(',');
    await expect(read(`${row('c')}\n${row('1')}\n`)).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining('5000 columns'),
    });
    const far = '<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData>';
    await expect(readTable(workbook(far))).rejects.toMatchObject({
      message: expect.stringContaining('5000 columns'),
    });
  });

  it('a line without an end, and a quotation mark that is never closed', async () => {
    const letters = new Uint8Array(1024 * 1024).fill(97);
    await expect(readTable(new Blob(Array.from({ length: 40 }, () => letters)))).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining('16 million characters'),
    });
    const rows = bytes('3,4\n'.repeat(250_000));
    const open = new Blob([bytes('a,b\n'), rows, bytes('1,"2\n'), rows]);
    await expect(readTable(open)).rejects.toMatchObject({ message: expect.stringContaining('row 250002') });
    expect((await readTable(open, { quote: null })).rows).toBe(500_001);
  });

  it('bombs, said and unsaid', async () => {
    // fflate writes the size of what it was given; a central directory may state any.
    const bomb = workbook(new Uint8Array(8 * 1024 * 1024).fill(32));
    const stated = new DataView(bomb.buffer, bomb.byteOffset, bomb.byteLength);
    const says = (size: number) => {
      for (let at = 0; at + 4 <= bomb.length; at++) {
        if (stated.getUint32(at, true) === 8 * 1024 * 1024) stated.setUint32(at, size, true);
      }
    };
    says(0x7fffffff);
    await expect(readTable(bomb)).rejects.toMatchObject({ message: expect.stringContaining('512 MiB') });
    const lying = workbook(
      `<sheetData>${'<row><c t="str"><v>a</v></c><c><v>1</v></c></row>'.repeat(1000)}</sheetData>`,
    );
    const size = new DataView(lying.buffer, lying.byteOffset, lying.byteLength);
    const real = 11 + 1000 * 49 + 12;
    for (let at = 0; at + 4 <= lying.length; at++)
      if (size.getUint32(at, true) === real) size.setUint32(at, 500, true);
    await expect(readTable(lying)).rejects.toMatchObject({ message: expect.stringContaining('damaged') });
  });

  it('markup without ends', async () => {
    for (const piece of ['<a "', '<!--<![CDATA[', '<c r="A1" ', '<'])
      await expect(readTable(workbook(piece.repeat(200_000)))).rejects.toMatchObject({
        code: 'data-invalid',
      });
  });

  it('formulas: values alone, and a text that begins as one stays a text', async () => {
    const sheet =
      '<sheetData><row r="1"><c r="A1" t="str"><v>n</v></c><c r="B1" t="str"><v>k</v></c></row>' +
      '<row r="99999999999"><c r="A2"><f>WEBSERVICE("http://x")</f><v>2</v></c><c r="B2" t="inlineStr"><is><t>=1+1</t></is></c></row></sheetData>';
    const table = await readTable(workbook(sheet));
    expect(table.columns.map((column) => column.cellAt(0))).toEqual([2, '=1+1']);
    expect(await cellsOf('a,b\n=1+1,x\n=cmd(),y\n')).toEqual([
      ['=1+1', 'x'],
      ['=cmd()', 'y'],
    ]);
  });
});
