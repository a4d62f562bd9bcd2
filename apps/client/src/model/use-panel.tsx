import { catalogue } from '@coppice/ui';
import { chosenTask } from '../run/run.ts';
import { AskPicture } from './ask-picture.tsx';
import { AskTable } from './ask-table.tsx';

const text = catalogue(
  {
    title: 'Use the model',
    lead: 'Ask the released model, and the models of the run that you take part in. They answer in this browser; your input is never sent.',
  },
  {
    title: '使用模型',
    lead: '向已发布的模型以及你参与的训练中的模型提问。在本浏览器中回答，你的输入从不发送。',
  },
);

export function UsePanel() {
  const t = text();
  const task = chosenTask.value;
  if (task === null) return null;
  return (
    <section class="sheet stack" aria-labelledby="use-title" id="use">
      <h2 id="use-title">{t.title}</h2>
      <p class="small quiet">{t.lead}</p>
      {task.data.kind === 'image' ? (
        <AskPicture key={task.id} data={task.data} />
      ) : (
        <AskTable key={task.id} data={task.data} />
      )}
    </section>
  );
}
