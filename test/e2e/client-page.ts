import type { Page } from 'playwright-core';

/** Agrees to the consent label and starts, as a person does on the client page. */
export async function consentAndStart(page: Page): Promise<void> {
  await page.getByTestId('consent').click();
  await page.getByTestId('start').click();
}

/** Adds pictures of one class: chooses the class, then the files. */
export async function addPictures(
  page: Page,
  label: number,
  files: { name: string; mimeType: string; buffer: Buffer }[],
): Promise<void> {
  const before = await dataCount(page);
  await page.getByTestId('file-label').selectOption(String(label));
  await page.getByTestId('file-input').setInputFiles(files);
  try {
    await page.waitForFunction(
      ([wanted]) =>
        Number(document.querySelector('[data-testid="data-count"]')?.textContent?.replace(/\D/g, '')) >=
        (wanted as number),
      [before + files.length],
    );
  } catch (cause) {
    const there = await page.evaluate(() => document.body.textContent);
    throw new Error(`${files.length} pictures were not added to ${before}. The page says:\n${there}`, {
      cause,
    });
  }
}

export async function dataCount(page: Page): Promise<number> {
  return Number((await page.getByTestId('data-count').first().textContent())?.replace(/\D/g, '') || '0');
}

/** Number of this browser's counted updates. */
export async function accepted(page: Page): Promise<number> {
  return Number((await page.getByTestId('accepted').first().textContent())?.replace(/\D/g, '') || '0');
}

export async function waitForAccepted(page: Page, atLeast: number): Promise<void> {
  await page.waitForFunction(
    ([wanted]) =>
      Number(document.querySelector('[data-testid="accepted"]')?.textContent?.replace(/\D/g, '')) >=
      (wanted as number),
    [atLeast],
    { timeout: 120_000 },
  );
}

/** Draws a line through points of the unit square on a canvas. */
export async function draw(
  page: Page,
  testId: string,
  points: readonly (readonly [number, number])[],
): Promise<void> {
  const canvas = page.getByTestId(testId);
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (box === null) throw new Error(`the canvas ${testId} is not on the page`);
  const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const;
  const [first, ...rest] = points;
  if (first === undefined) return;
  await page.mouse.move(...at(first));
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...at(point), { steps: 4 });
  await page.mouse.up();
}

/** Reads all stored examples from this browser's IndexedDB. */
export function keptExamples(page: Page): Promise<number[][]> {
  return page.evaluate(
    () =>
      new Promise<number[][]>((resolve, reject) => {
        const opening = indexedDB.open('coppice');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const db = opening.result;
          const all = db.transaction('block').objectStore('block').getAll();
          all.onerror = () => reject(all.error);
          all.onsuccess = () => {
            const blocks = all.result as { count: number; features: Uint8Array }[];
            resolve(
              blocks.flatMap(({ count, features }) => {
                const size = features.length / count;
                return Array.from({ length: count }, (_, i) => [
                  ...features.subarray(i * size, (i + 1) * size),
                ]);
              }),
            );
            db.close();
          };
        };
      }),
  );
}
