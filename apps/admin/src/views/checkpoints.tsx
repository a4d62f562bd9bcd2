import type { Checkpoint, Run } from '@coppice/protocol';
import { formatShare, formatTime } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { fetchCheckpoints } from '../live/api.ts';
import { formatLoss } from '../words.ts';
import { CopyButton, Scroll } from './parts.tsx';
import { text } from './texts.ts';

const MOST = 50;

/** A run's stored models, newest first, each to download and to use in any page. */
export function Checkpoints({ run }: { run: Run }) {
  const t = text();
  const [all, setAll] = useState<readonly Checkpoint[]>([]);
  // Fetched anew when a round was committed.
  useEffect(() => {
    let current = true;
    fetchCheckpoints(run.id).then(
      (checkpoints) => {
        if (current) setAll(checkpoints);
      },
      () => {},
    );
    return () => {
      current = false;
    };
  }, [run.id, run.round, run.checkpoint]);
  const base = `${location.origin}/models/${run.task}`;
  return (
    <section class="stack">
      <h2>{t.checkpoints}</h2>
      {all.length === 0 && <p class="quiet">{t.noCheckpoints}</p>}
      {all.length > 0 && (
        <p class="row">
          <span class="eyebrow">{t.use}</span>
          <code>{`await tf.loadLayersModel('${base}/latest/model.json')`}</code>
          <CopyButton value={`await tf.loadLayersModel('${base}/latest/model.json')`} />
        </p>
      )}
      {all.length > 0 && (
        <Scroll label={t.checkpoints} testId="checkpoints-table">
          <table>
            <thead>
              <tr>
                {[t.checkpoint, t.round, t.made, t.accuracy, t.loss, t.download].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {all.slice(0, MOST).map(({ hash, round, createdAt, central }) => (
                <tr key={round}>
                  <th scope="row" class="mono">
                    <span title={hash}>{hash.slice(0, 12)}</span>
                  </th>
                  <td>{round}</td>
                  <td>{formatTime(createdAt)}</td>
                  <td>{central?.accuracy == null ? '–' : formatShare(central.accuracy)}</td>
                  <td>{central?.loss == null ? '–' : formatLoss(central.loss)}</td>
                  <td>
                    <span class="row nowrap">
                      <a href={`${base}/${hash}/model.json`} download="model.json">
                        {t.model}
                      </a>
                      <a href={`${base}/${hash}/weights.bin`} download="weights.bin">
                        {t.weights}
                      </a>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}
