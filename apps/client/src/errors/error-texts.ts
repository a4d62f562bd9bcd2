import type { ErrorCode } from '@coppice/protocol';
import { language } from '@coppice/ui';

/** The event, its meaning for the person, and the remedy. */
export interface ErrorText {
  readonly happened: string;
  readonly means: string;
  readonly action: string;
}

/** Codes that only admins or the coordinator itself can meet. */
type AdminsOnly =
  | 'task-invalid'
  | 'task-exists'
  | 'model-invalid'
  | 'weights-invalid'
  | 'export-unsupported'
  | 'plan-invalid'
  | 'checkpoint-unknown'
  | 'checkpoint-mismatch'
  | 'release-conflict'
  | 'release-refused'
  | 'policy-invalid'
  | 'policy-conflict'
  | 'firing-refused'
  | 'config-invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'cross-site-request'
  | 'host-unknown'
  | 'login-refused'
  | 'too-many-attempts'
  | 'password-too-short'
  | 'admin-name-taken'
  | 'admin-unknown'
  | 'admin-invitation-invalid'
  | 'last-owner'
  | 'body-invalid'
  | 'evaluation-failed'
  | 'storage-read-only'
  | 'storage-locked'
  | 'storage-too-new'
  | 'pages-not-built';

type Texts = Readonly<Record<Exclude<ErrorCode, AdminsOnly>, ErrorText>>;

const en: Texts = {
  'protocol-too-old': {
    happened: 'This page is older than the coordinator.',
    means: 'They no longer speak the same language, so you are not taking part. Your examples are kept.',
    action: 'Reload the page to update it.',
  },
  'plan-unsupported': {
    happened: 'This run uses something that this page does not support yet.',
    means: 'You can’t take part for now. Your examples are kept.',
    action: 'Reload the page to update it.',
  },
  'protocol-too-new': {
    happened: 'This page is newer than the coordinator.',
    means: 'The coordinator cannot understand it yet. Your examples are kept.',
    action: 'Try again later; whoever runs the coordinator must update it.',
  },
  'identity-invalid': {
    happened: 'The coordinator did not accept the random id of this browser.',
    means: 'You cannot take part with it.',
    action: 'Delete the data of this site in the settings of the browser, then load the page again.',
  },
  'identity-unproven': {
    happened: 'This browser could not prove who it is to the coordinator.',
    means: 'You cannot take part; your examples are untouched.',
    action: 'Open the page by the address its operator gave you. If it happens again, tell the operator.',
  },
  'message-unknown': {
    happened: 'The coordinator does not know a message that this page sent.',
    means: 'That message had no effect. Everything else goes on.',
    action: 'Reload the page if training does not continue.',
  },
  'too-many-offences': {
    happened:
      'The coordinator could not use many of the messages from this browser, and is not listening for now.',
    means: 'The training goes on without you; your examples are untouched.',
    action: 'Wait: this page connects again by itself in a minute. If it happens again, reload the page.',
  },
  'session-replaced': {
    happened: 'The same participant connected from another window.',
    means: 'Only one of them takes part, and it is the newer one.',
    action: 'Go on there, or reload this page to take part here.',
  },
  'too-many-connections': {
    happened: 'The coordinator has no room for another connection right now.',
    means: 'It takes a limited number, in all and from one address, which many people may share.',
    action: 'Nothing: this page tries again by itself. Close other tabs that take part from here.',
  },
  'too-many-identities': {
    happened: 'Many new participants have come from your network within an hour.',
    means: 'The coordinator lets in only so many newcomers from one address. Your examples are kept.',
    action: 'Nothing: this page tries again by itself. Whoever runs the coordinator can raise the number.',
  },
  'rate-limited': {
    happened: 'This page sent too much in a short time.',
    means: 'The coordinator did not read it; nothing is lost.',
    action: 'Nothing: it goes on in a moment. If it happens again, reload the page.',
  },
  'message-invalid': {
    happened: 'A message between this page and the coordinator was not valid.',
    means: 'It was thrown away; nothing was counted.',
    action: 'Reload the page. If it happens again, send the diagnostics to whoever runs the coordinator.',
  },
  'coordinator-starting': {
    happened: 'The coordinator has just started.',
    means: 'It is still reading its runs from disk.',
    action: 'Nothing: this page connects by itself in a moment.',
  },
  'coordinator-stopping': {
    happened: 'The coordinator is restarting.',
    means: 'Training stops for a moment; nothing that was accepted is lost.',
    action: 'Nothing: this page comes back by itself.',
  },
  'run-unknown': {
    happened: 'This training does not exist.',
    means: 'The link may be old, or the coordinator has been set up anew.',
    action: 'Choose one of the trainings that are open.',
  },
  'run-ended': {
    happened: 'This training is over.',
    means: 'It takes no more updates. Your examples are kept.',
    action: 'Choose another training, or delete your examples.',
  },
  'run-given-up': {
    happened: 'The coordinator stopped this training.',
    means: 'It did not progress for a long time. Your examples are kept.',
    action: 'There is nothing to do; a later training may ask you again.',
  },
  'run-not-admitted': {
    happened: 'This training is not open to everyone.',
    means: 'You are not on its list, so nothing was started. Your examples are kept.',
    action:
      'Open the invitation link that the operator gave you. Without one, tell the operator the id below and ask to be let in.',
  },
  'consent-outdated': {
    happened: 'Reports on this model tell other things than you agreed to.',
    means: 'No report was sent. Your examples are kept.',
    action: 'Read what reports tell now, and agree again if you want to report.',
  },
  'report-mismatch': {
    happened: 'This page counts its predictions in another way than the coordinator compares them.',
    means: 'No report was sent. Your examples are kept.',
    action: 'Reload the page to take the current model and its reference.',
  },
  'invitation-invalid': {
    happened: 'This invitation does not open the training.',
    means:
      'It was revoked, is too old, or was used as often as it may be. Nothing was started; your examples are kept.',
    action: 'Ask the operator for a new link, or tell them the id below.',
  },
  'participant-banned': {
    happened: 'The operator has banned this browser.',
    means:
      'You do not take part any more. Updates that were already counted stay counted; your examples are kept.',
    action: 'If you think that this is a mistake, tell the operator the id of this browser.',
  },
  'run-state': {
    happened: 'That is not possible right now.',
    means: 'The training was in another state than this page thought.',
    action: 'Wait a moment and try again.',
  },
  'task-unknown': {
    happened: 'The coordinator does not know this task.',
    means: 'Examples for it cannot be opened.',
    action: 'Reload the page and choose another training.',
  },
  'quorum-lost': {
    happened: 'Too few people finished the round in time.',
    means: 'The round does not count and the model stays as it was. Nothing of yours is lost.',
    action: 'Nothing: the round is tried again by itself. More people with the page open help.',
  },
  'ticket-invalid': {
    happened: 'This device answered a question that was not put to it.',
    means: 'The update does not count.',
    action: 'Nothing: the next round starts fresh. If it keeps happening, reload the page.',
  },
  'update-late': {
    happened: 'What this device learned arrived after the round had closed.',
    means: 'It does not count this time.',
    action: 'Nothing: the next round begins from the newest model. Fewer examples make rounds faster.',
  },
  'update-stale': {
    happened: 'This device trained on a model that is no longer the current one.',
    means: 'The update does not count; the newest model has been fetched.',
    action: 'Nothing: the next round goes on from it.',
  },
  'not-joined': {
    happened: 'The coordinator did not know this device in the run.',
    means: 'What was sent does not count yet.',
    action: 'Nothing: the device joins again by itself.',
  },
  'update-not-selected': {
    happened: 'This device was not asked in this round.',
    means: 'The update does not count.',
    action: 'Nothing: wait for the next round.',
  },
  'update-duplicate': {
    happened: 'This update had arrived before.',
    means: 'It counts once.',
    action: 'Nothing.',
  },
  'update-shape': {
    happened: 'The update did not fit the model.',
    means: 'It was refused; the others are not affected.',
    action: 'Reload the page. If it happens again, send the diagnostics.',
  },
  'update-not-finite': {
    happened: 'The update held numbers that are not finite.',
    means: 'It was refused, because one such number would spoil the model for everyone.',
    action: 'Look at your examples for extreme values, or wait: the next round starts fresh.',
  },
  'update-out-of-range': {
    happened: 'The update was far larger than this training allows.',
    means: 'It was refused; the others are not affected.',
    action: 'Look at your examples for extreme values or wrong labels.',
  },
  'update-examples': {
    happened: 'You have more examples than this training allows one person to count.',
    means: 'The update was refused.',
    action: 'Delete some of your examples, then go on.',
  },
  'update-norm': {
    happened: 'The update was longer than this training lets one person’s be.',
    means: 'It was refused; the others are not affected.',
    action: 'Look at your examples for extreme values or wrong labels, or wait: the next round starts fresh.',
  },
  'update-measure': {
    happened: 'The counts sent with the update (examples, loss, accuracy) contradict each other.',
    means: 'The update was refused; the others are not affected.',
    action: 'Reload the page. If it happens again, send the diagnostics.',
  },
  'update-not-offered': {
    happened: 'The coordinator has lost what was sent of an update.',
    means: 'It is sent again from the beginning.',
    action: 'Nothing, unless it keeps happening: then send the diagnostics to whoever runs the coordinator.',
  },
  'frame-invalid': {
    happened: 'A model or an update was damaged on the way.',
    means: 'It was thrown away and is sent again.',
    action: 'Nothing, unless it keeps happening: then check the network.',
  },
  'frame-too-large': {
    happened: 'The model is too large to be sent.',
    means: 'Taking part is not possible.',
    action: 'Send the diagnostics to whoever runs the coordinator.',
  },
  'data-empty': {
    happened: 'No examples were found.',
    means: 'Nothing was added.',
    action: 'Choose a file with at least one row of data below the column names.',
  },
  'data-invalid': {
    happened: 'These examples do not fit the task.',
    means: 'Nothing was added; what you had is unchanged.',
    action: 'Look at the details below and choose the columns or the files anew.',
  },
  'storage-full': {
    happened: 'There is no more room for examples in this browser.',
    means: 'Nothing was added; what you had is unchanged.',
    action: 'Delete some examples here, or free space on the device, and add them again.',
  },
  'camera-denied': {
    happened: 'This page was not allowed to use the camera.',
    means: 'No picture was taken. What you have added is as it was.',
    action:
      'Allow the camera for this site (the sign beside the address), then try again; or add pictures as files.',
  },
  'camera-missing': {
    happened: 'This browser has no camera for this page.',
    means: 'None is connected, or the address does not begin with https, without which browsers give none.',
    action: 'Connect a camera and try again, or add pictures as files.',
  },
  'camera-failed': {
    happened: 'The camera gives no picture.',
    means: 'Another program may be using it, or it was unplugged. What was captured before is kept.',
    action: 'Close whatever else uses the camera, connect it again if need be, and try again.',
  },
  'training-diverged': {
    happened: 'Training went off course on this device: the loss is no longer a number.',
    means: 'This round’s update does not count. The shared model is not affected.',
    action:
      'Nothing at first: the next round starts fresh. If it keeps happening, look at your examples for extreme values.',
  },
  'backend-lost': {
    happened: 'The graphics processor was taken away from this page.',
    means: 'The round was given up; the page goes on with another way of computing.',
    action: 'Nothing. Closing other heavy tabs helps.',
  },
  'backend-unavailable': {
    happened: 'Nothing that trains a model could be started in this browser.',
    means: 'You cannot take part with it as it is.',
    action: 'Reload the page. If that does not help, try a current Chrome, Edge, Firefox or Safari.',
  },
  'already-training': {
    happened: 'Another tab of this browser already takes part.',
    means: 'One tab is enough: two would be one participant speaking twice.',
    action: 'Go on in the other tab, or use this one instead.',
  },
  'connection-lost': {
    happened: 'The coordinator does not answer.',
    means: 'Your examples are safe here; nothing is lost.',
    action: 'Check the network. The page keeps trying by itself.',
  },
  'not-found': {
    happened: 'The coordinator does not have what this page asked for.',
    means: 'The page may be older than the coordinator.',
    action: 'Reload the page.',
  },
  'storage-failed': {
    happened: 'Storage did not work.',
    means: 'The last change may not have been kept.',
    action:
      'Try again. In a private window, or with site data blocked, examples last only as long as the page.',
  },
  'storage-corrupt': {
    happened: 'What was stored cannot be read any more.',
    means: 'It is not used, so that nothing wrong is learned.',
    action: 'Delete the examples and add them again.',
  },
  internal: {
    happened: 'Something went wrong that nobody expected.',
    means: 'Your examples are safe in this browser.',
    action: 'Reload the page. If it happens again, send the diagnostics to whoever runs the coordinator.',
  },
};

const zh: Texts = {
  'protocol-too-old': {
    happened: '本页面比协调器旧。',
    means: '双方的协议已不一致，因此你没有参与。样本仍保留。',
    action: '重新加载页面即可更新。',
  },
  'plan-unsupported': {
    happened: '本次训练用到了本页面尚不支持的功能。',
    means: '你暂时无法参与；你的样本保留不变。',
    action: '请重新加载页面以更新。',
  },
  'protocol-too-new': {
    happened: '本页面比协调器新。',
    means: '协调器尚不支持本页面的版本。样本仍保留。',
    action: '请稍后再试；需要由运营者更新协调器。',
  },
  'identity-invalid': {
    happened: '协调器没有接受本浏览器的随机标识。',
    means: '用这个标识无法参与。',
    action: '在浏览器设置中清除本网站的数据，再重新打开页面。',
  },
  'identity-unproven': {
    happened: '本浏览器未能向协调器证明自己的身份。',
    means: '暂时无法参与；你的样本没有变化。',
    action: '请用运营者给出的地址打开本页。如再次出现，请告知运营者。',
  },
  'message-unknown': {
    happened: '协调器不认识本页面发送的一条消息。',
    means: '这条消息没有生效，其余照常。',
    action: '若训练没有继续，请重新加载页面。',
  },
  'too-many-offences': {
    happened: '协调器无法使用本浏览器发送的许多消息，暂时不再接收。',
    means: '训练仍在继续，只是你暂时没有参与；你的样本没有变化。',
    action: '请等待：本页会在一分钟后自动重新连接。如再次发生，请重新加载本页。',
  },
  'session-replaced': {
    happened: '同一参与者从另一个窗口连接了。',
    means: '只有其中一个参与，即较新的那个。',
    action: '在那边继续，或重新加载本页以在这里参与。',
  },
  'too-many-connections': {
    happened: '协调器现在没有空余的连接。',
    means: '它的连接总数和来自同一地址的连接数都有上限，而一个地址可能由很多人共用。',
    action: '无需操作：本页面会自动重试。请关闭在这里参与的其他标签页。',
  },
  'too-many-identities': {
    happened: '一小时内有很多新的参与者来自你的网络。',
    means: '协调器只接纳来自同一地址的有限数量的新参与者。样本仍保留。',
    action: '无需操作：本页面会自动重试。运营者可以提高这个数量。',
  },
  'rate-limited': {
    happened: '本页面在短时间内发送了太多内容。',
    means: '协调器没有读取它；什么都没有丢失。',
    action: '无需操作：稍后会继续。如果再次发生，请重新加载本页面。',
  },
  'message-invalid': {
    happened: '页面与协调器之间有一条消息无效。',
    means: '它已被丢弃，没有计入任何内容。',
    action: '请重新加载页面。若再次出现，请把诊断信息发给运营者。',
  },
  'coordinator-starting': {
    happened: '协调器刚刚启动。',
    means: '它还在从磁盘读取各项训练。',
    action: '无需操作：本页稍后会自动连接。',
  },
  'coordinator-stopping': {
    happened: '协调器正在重启。',
    means: '训练会暂停片刻；已接受的更新不会丢失。',
    action: '无需操作：页面会自动恢复。',
  },
  'run-unknown': {
    happened: '没有这次训练。',
    means: '链接可能已过期，或协调器已重新设置。',
    action: '请选择一个开放的训练。',
  },
  'run-ended': {
    happened: '这次训练已经结束。',
    means: '不再接收更新。你的样本仍保留。',
    action: '选择另一个训练，或删除你的样本。',
  },
  'run-given-up': {
    happened: '协调器已停止这次训练。',
    means: '训练长时间没有进展。你的样本仍保留。',
    action: '无需任何操作；以后的训练可能会再次邀请你。',
  },
  'run-not-admitted': {
    happened: '此训练不对所有人开放。',
    means: '你不在名单上，因此没有开始。你的样本已保留。',
    action: '请打开运营者给你的邀请链接。如果没有，请把下面的标识告诉运营者，请其允许你加入。',
  },
  'consent-outdated': {
    happened: '关于此模型的报告，内容已与你同意时不同。',
    means: '没有发送报告。你的样本已保留。',
    action: '请阅读报告现在包含的内容；如果愿意继续报告，请重新同意。',
  },
  'report-mismatch': {
    happened: '本页统计预测的方式与协调器比较的方式不同。',
    means: '没有发送报告。你的样本已保留。',
    action: '请重新加载本页，以获取当前的模型及其参考分布。',
  },
  'invitation-invalid': {
    happened: '此邀请无法打开这个训练。',
    means: '它已被撤销、已过期，或可用次数已用完。没有开始；你的样本已保留。',
    action: '请向运营者索取新的链接，或把下面的标识告诉运营者。',
  },
  'participant-banned': {
    happened: '运营者已禁止本浏览器参与。',
    means: '你不再参与。已经计入的更新仍然有效；你的样本已保留。',
    action: '如果你认为有误，请把本浏览器的标识告诉运营者。',
  },
  'run-state': {
    happened: '现在无法这样做。',
    means: '训练的状态与本页所知的不同。',
    action: '请稍等片刻再试。',
  },
  'task-unknown': {
    happened: '协调器不认识这个任务。',
    means: '无法打开它的样本。',
    action: '请重新加载页面并选择另一个训练。',
  },
  'quorum-lost': {
    happened: '及时完成本轮的人太少。',
    means: '本轮不算，模型保持原样。你的任何内容都没有丢失。',
    action: '无需操作：本轮会自动重来。有更多人打开页面会有帮助。',
  },
  'ticket-invalid': {
    happened: '本设备回应了一个并非发给它的请求。',
    means: '该更新不计入。',
    action: '无需操作：下一轮会重新开始。若反复出现，请重新加载页面。',
  },
  'update-late': {
    happened: '本设备学到的内容在本轮结束之后才到达。',
    means: '这一次不计入。',
    action: '无需操作：下一轮从最新模型开始。样本少一些会更快。',
  },
  'update-stale': {
    happened: '本设备所用的模型已不是当前模型。',
    means: '该更新不计入；已取得最新模型。',
    action: '无需操作：下一轮由此继续。',
  },
  'not-joined': {
    happened: '协调器上没有本设备加入本次训练的记录。',
    means: '刚才发送的内容暂不计入。',
    action: '无需操作：本设备会自动重新加入。',
  },
  'update-not-selected': {
    happened: '本轮没有邀请本设备。',
    means: '该更新不计入。',
    action: '无需操作：请等待下一轮。',
  },
  'update-duplicate': {
    happened: '这份更新先前已经到达。',
    means: '只计一次。',
    action: '无需操作。',
  },
  'update-shape': {
    happened: '更新与模型不符。',
    means: '它被拒绝；其他人不受影响。',
    action: '请重新加载页面。若再次出现，请发送诊断信息。',
  },
  'update-not-finite': {
    happened: '更新中含有非有限的数值。',
    means: '它被拒绝，因为这样一个数就会毁掉所有人的模型。',
    action: '检查样本中的极端值，或等待：下一轮会重新开始。',
  },
  'update-out-of-range': {
    happened: '更新远大于本次训练所允许的范围。',
    means: '它被拒绝；其他人不受影响。',
    action: '检查样本中的极端值或错误标签。',
  },
  'update-examples': {
    happened: '你的样本数超过了本次训练允许一人计入的上限。',
    means: '更新被拒绝。',
    action: '删除部分样本后再继续。',
  },
  'update-norm': {
    happened: '更新的长度超过了本次训练对单份更新的上限。',
    means: '它被拒绝；其他人不受影响。',
    action: '检查样本中的极端值或错误标签，或等待：下一轮会重新开始。',
  },
  'update-measure': {
    happened: '更新附带的统计（样本数、损失、准确率）自相矛盾。',
    means: '更新被拒绝；其他人不受影响。',
    action: '请重新加载页面。若再次出现，请发送诊断信息。',
  },
  'update-not-offered': {
    happened: '协调器丢失了已发送的部分更新。',
    means: '会从头重新发送。',
    action: '无需操作；若反复出现，请把诊断信息发给运营者。',
  },
  'frame-invalid': {
    happened: '模型或更新在途中损坏。',
    means: '它已被丢弃，会重新发送。',
    action: '无需操作；若反复出现，请检查网络。',
  },
  'frame-too-large': {
    happened: '模型太大，无法发送。',
    means: '无法参与。',
    action: '请把诊断信息发给运营者。',
  },
  'data-empty': {
    happened: '没有找到样本。',
    means: '没有添加任何内容。',
    action: '请选择列名下方至少有一行数据的文件。',
  },
  'data-invalid': {
    happened: '这些样本不适合本任务。',
    means: '没有添加任何内容；原有样本不变。',
    action: '请看下面的详情，重新选择列或文件。',
  },
  'storage-full': {
    happened: '浏览器中已没有空间存放样本。',
    means: '没有添加任何内容；原有样本不变。',
    action: '在这里删除一些样本，或清理设备空间，然后重新添加。',
  },
  'camera-denied': {
    happened: '本页没有获准使用摄像头。',
    means: '没有拍摄任何图片，已添加的内容不变。',
    action: '请允许本网站使用摄像头（地址栏旁的图标），然后重试；也可以直接添加图片文件。',
  },
  'camera-missing': {
    happened: '浏览器没有可供本页使用的摄像头。',
    means: '可能没有连接摄像头，或者网址不是 https：这种情况下浏览器不提供摄像头。',
    action: '请连接摄像头后重试，或添加图片文件。',
  },
  'camera-failed': {
    happened: '摄像头没有画面。',
    means: '可能有其他程序正在使用它，或者它已断开。之前拍摄的内容都保留着。',
    action: '请关闭其他使用摄像头的程序，必要时重新连接，然后重试。',
  },
  'training-diverged': {
    happened: '本设备上的训练发散了：损失不再是一个数。',
    means: '本轮的更新不计入。共享的模型不受影响。',
    action: '暂时无需操作：下一轮会重新开始。若反复出现，请检查样本中的极端值。',
  },
  'backend-lost': {
    happened: '图形处理器已从本页收回。',
    means: '本轮已放弃；页面改用另一种计算方式继续。',
    action: '无需操作。关闭其他占用大的标签页会有帮助。',
  },
  'backend-unavailable': {
    happened: '本浏览器未能启动任何可用于训练的计算方式。',
    means: '目前无法用它参与。',
    action: '请重新加载页面。若仍不行，请试用新版 Chrome、Edge、Firefox 或 Safari。',
  },
  'already-training': {
    happened: '本浏览器的另一个标签页已在参与。',
    means: '一个标签页就够了：两个会让同一参与者重复参与。',
    action: '在那个标签页继续，或改用本页。',
  },
  'connection-lost': {
    happened: '协调器没有回应。',
    means: '你的样本安全地留在这里，没有丢失。',
    action: '请检查网络。页面会不断自动重试。',
  },
  'not-found': {
    happened: '协调器没有本页所请求的内容。',
    means: '页面可能比协调器旧。',
    action: '请重新加载页面。',
  },
  'storage-failed': {
    happened: '存储没有成功。',
    means: '最后一次更改可能没有保存。',
    action: '请再试一次。在无痕窗口或禁止网站数据时，样本只在页面打开期间保留。',
  },
  'storage-corrupt': {
    happened: '已存储的内容无法再读取。',
    means: '它不会被使用，以免学错。',
    action: '请删除样本后重新添加。',
  },
  internal: {
    happened: '出现了意料之外的错误。',
    means: '你的样本安全地留在本浏览器中。',
    action: '请重新加载页面。若再次出现，请把诊断信息发给运营者。',
  },
};

/** The text for a code in the current language; a code that participants should never meet reads as `internal`. */
export function errorText(code: ErrorCode): ErrorText {
  const texts = language.value === 'zh' ? zh : en;
  return code in texts ? texts[code as keyof Texts] : texts.internal;
}

/** Codes that resolve by themselves and need no alarm. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'coordinator-stopping',
  'quorum-lost',
  'ticket-invalid',
  'update-late',
  'update-stale',
  'not-joined',
  'update-not-selected',
  'update-duplicate',
  'connection-lost',
  'backend-lost',
  'run-ended',
  'already-training',
]);

export function passesByItself(code: ErrorCode): boolean {
  return passing.has(code);
}
