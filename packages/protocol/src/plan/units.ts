/** Units that several plan fields share. */
export const share = { en: 'share, 0–1', zh: '比例，0–1' };
export const days = { en: 'days', zh: '天' };
export const seconds = { en: 'seconds', zh: '秒' };
export const participants = { en: 'participants', zh: '位参与者' };
export const examples = { en: 'examples', zh: '个样本' };
export const norm = { en: 'L2 norm', zh: 'L2 范数' };
