import {
  type ErrorCode,
  type FactsCode,
  type FailureFacts,
  isErrorCode,
  type KnownFailure,
  knownFailure,
} from '@coppice/protocol';
import { catalogue, formatNumber, language } from '@coppice/ui';

type Sentences = { readonly [C in FactsCode]: (facts: FailureFacts[C]) => string };

/**
 * A failure as a sentence in the reader's language, from its code and the facts of that code.
 *
 * @param failure `message`: the coordinator's English, used for an unknown code, and in English for a code without
 *   facts.
 */
export function failureText({
  code,
  message,
  facts,
}: {
  readonly code: string;
  readonly message: string;
  readonly facts?: unknown;
}): string {
  const known = knownFailure(code, facts);
  if (known !== null) return said(known);
  return language.value === 'zh' && isErrorCode(code) ? chinese[code] : message;
}

function said<C extends FactsCode>({ code, facts }: KnownFailure<C>): string {
  const sentences: Sentences = withFacts();
  return sentences[code](facts);
}

const withFacts = catalogue(
  {
    'quorum-lost': ({ accepted, quorum, deadline }: FailureFacts['quorum-lost']) =>
      `${formatNumber(accepted)} of ${formatNumber(quorum)} required updates ${deadline ? 'arrived in time' : 'arrived, and too few participants are left'}.`,
    'training-diverged': (facts: FailureFacts['training-diverged']) =>
      facts.on === 'devices'
        ? `Training diverged on ${formatNumber(facts.diverged)} of ${formatNumber(facts.asked)} selected devices: a loss or an update was not finite, or too large.`
        : 'The new model’s loss is not a number, so the model was discarded.',
  },
  {
    'quorum-lost': ({ accepted, quorum, deadline }) =>
      deadline
        ? `截止前只收到 ${formatNumber(accepted)} 份更新，至少需要 ${formatNumber(quorum)} 份。`
        : `只收到 ${formatNumber(accepted)} 份更新，至少需要 ${formatNumber(quorum)} 份，而剩余的参与者已不足。`,
    'training-diverged': (facts) =>
      facts.on === 'devices'
        ? `受邀的 ${formatNumber(facts.asked)} 台设备中有 ${formatNumber(facts.diverged)} 台训练发散：损失或更新出现无效数值，或数值过大。`
        : '新模型的损失值无效，已被丢弃。',
  },
);

/** One sentence for every code; the details are in the coordinator's English in the log. */
const chinese: Readonly<Record<ErrorCode, string>> = {
  'protocol-too-old': '此程序的版本过旧，请更新后重试。',
  'protocol-too-new': '此程序的版本比协调器新，请更新协调器。',
  'identity-invalid': '参与者的标识无效。',
  'identity-unproven': '参与者未能证明自己的身份。',
  'session-replaced': '同一参与者在别处重新连接。',
  'too-many-connections': '连接数已达上限。',
  'too-many-identities': '来自同一网络的新参与者过多。',
  'rate-limited': '请求过于频繁，请稍后再试。',
  'message-invalid': '消息格式无效。',
  'message-unknown': '协调器不支持此消息。',
  'too-many-offences': '无效消息过多，连接已暂停。',
  'coordinator-starting': '协调器正在启动。',
  'coordinator-stopping': '协调器正在关闭。',
  'run-unknown': '没有这次训练。',
  'run-ended': '训练已结束。',
  'run-given-up': '再训练未能继续，协调器已停止这次训练。',
  'run-state': '训练当前的状态不允许此操作。',
  'run-not-admitted': '参与者没有这次训练的参与权限。',
  'plan-unsupported': '参与者的程序不支持此计划，请更新。',
  'invitation-invalid': '邀请无效：已撤销、已过期或次数已用完。',
  'participant-banned': '参与者已被禁止。',
  'consent-outdated': '报告的内容已改变，需要参与者重新同意。',
  'report-mismatch': '报告所用的数据处理方式或参考分布与任务不符。',
  'task-unknown': '没有此任务。',
  'task-invalid': '任务的描述无效。',
  'task-exists': '同名的任务已存在。',
  'model-invalid': '模型无效或不受支持。',
  'weights-invalid': '权重无效，或与模型的层不符。',
  'export-unsupported': '模型中有无法转换为该格式的层。',
  'plan-invalid': '计划无效。',
  'checkpoint-unknown': '没有此检查点。',
  'checkpoint-mismatch': '检查点与任务不匹配。',
  'policy-invalid': '监测策略无效，未保存。请按提示修改后再保存。',
  'policy-conflict': '监测策略在你读取之后已被更改，本次保存未生效。请查看最新版本后再决定。',
  'release-conflict': '该渠道在你读取之后已有变动，本次操作未生效。请查看最新状态后再决定。',
  'release-refused': '无法执行此发布操作。',
  'firing-refused': '当前无法启动再训练：任务尚无策略或生产模型，上一次再训练尚未结束，或预算已用完。',
  'quorum-lost': '收到的更新不足，本轮已放弃。',
  'not-joined': '参与者尚未加入这次训练。',
  'ticket-invalid': '答复不属于发给该参与者的任何请求。',
  'update-late': '更新到达时，本轮已经结束。',
  'update-stale': '更新基于旧模型。',
  'update-not-selected': '本轮没有邀请该参与者。',
  'update-duplicate': '更新重复。',
  'update-shape': '更新与模型结构不符。',
  'update-not-finite': '更新含有无效数值（NaN 或无穷大）。',
  'update-out-of-range': '更新的数值超出允许范围。',
  'update-examples': '声明的样本数超过上限。',
  'update-not-offered': '分片缺少所属更新。',
  'update-norm': '更新的范数超过上限。',
  'update-measure': '更新附带的统计数据自相矛盾。',
  'frame-invalid': '数据在传输中损坏。',
  'frame-too-large': '数据过大，无法传输。',
  'data-empty': '设备上没有可用的样本。',
  'data-invalid': '样本与任务不符。',
  'storage-full': '存储空间已满。',
  'camera-denied': '摄像头未获授权。',
  'camera-missing': '没有可用的摄像头。',
  'camera-failed': '摄像头没有画面。',
  'training-diverged': '训练发散：出现了无效或过大的数值。',
  'backend-lost': '设备的显卡停止响应。',
  'backend-unavailable': '设备上没有可用的计算方式。',
  'already-training': '该浏览器的另一个标签页已在训练。',
  'connection-lost': '连接已断开。',
  'config-invalid': '协调器的配置无效。',
  unauthorized: '请先登录。',
  forbidden: '你的角色没有此权限。',
  'cross-site-request': '请求来自其他网站，已被拒绝。',
  'host-unknown': '访问地址不在允许的主机名之列。',
  'login-refused': '登录失败：密钥无效，或用户名与密码不匹配。',
  'too-many-attempts': '尝试次数过多，请稍后再试。',
  'password-too-short': '密码过短。',
  'admin-name-taken': '此用户名已被使用。',
  'admin-unknown': '没有此管理员。',
  'admin-invitation-invalid': '链接无效：已使用或已过期。',
  'last-owner': '必须至少保留一位所有者。',
  'not-found': '没有找到所请求的内容。',
  'body-invalid': '请求的内容无效。',
  'storage-failed': '存储操作失败，详情见协调器日志。',
  'storage-corrupt': '存储的数据已损坏，详情见协调器日志。',
  'storage-read-only': '存储为只读，无法写入。',
  'storage-locked': '存储正被另一个进程占用。',
  'storage-too-new': '存储的数据由更新的版本写入，请更新协调器。',
  'evaluation-failed': '模型评估失败，详情见协调器日志。',
  'pages-not-built': '网页尚未构建。',
  internal: '发生意外错误，详情见协调器日志。',
};
