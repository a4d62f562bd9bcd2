import { ADMIN_KEY, type World } from './world.ts';

const HIDDEN = 800;
/** Parameters of the model: 2.5 MB as float32, more than a message carries. */
export const PARAMETERS = 784 * HIDDEN + HIDDEN + HIDDEN * 10 + 10;

const layer = (class_name: string, config: object) => ({ class_name, config });

/** Adds the task `wide-digits`: digits, by a model that is larger than a message. */
export async function addWideDigits(world: World): Promise<void> {
  const response = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({
      id: 'wide-digits',
      title: { en: 'Wide digits' },
      description: { en: 'Digits, by a model that is larger than a message.' },
      data: {
        kind: 'image',
        width: 28,
        height: 28,
        channels: 1,
        classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
        ink: 'light-on-dark',
        drawable: true,
      },
      model: layer('Sequential', {
        name: 'wide',
        layers: [
          layer('Flatten', { name: 'flat', batch_input_shape: [null, 28, 28, 1] }),
          layer('Dense', { name: 'hidden', units: HIDDEN, activation: 'relu' }),
          layer('Dense', { name: 'digit', units: 10, activation: 'softmax' }),
        ],
      }),
    }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}
