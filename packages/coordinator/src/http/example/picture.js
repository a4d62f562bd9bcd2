// The visitor draws, or chooses a picture.
start(() => {
  const sheet = find('sheet');
  const paper = sheet.getContext('2d');
  const clear = () => {
    paper.fillStyle = '#fff';
    paper.fillRect(0, 0, sheet.width, sheet.height);
    paper.lineWidth = 20;
    paper.lineCap = paper.lineJoin = 'round';
    asked = null;
    find('answer').replaceChildren();
  };
  const place = (event) => {
    const { width } = sheet.getBoundingClientRect();
    const scale = sheet.width / width;
    return [event.offsetX * scale, event.offsetY * scale];
  };
  clear();
  find('clear').addEventListener('click', clear);
  sheet.addEventListener('pointerdown', (event) => {
    sheet.setPointerCapture(event.pointerId);
    paper.beginPath();
    paper.moveTo(...place(event));
  });
  sheet.addEventListener('pointermove', (event) => {
    if (event.buttons === 0) return;
    paper.lineTo(...place(event));
    paper.stroke();
  });
  sheet.addEventListener('pointerup', () => ask([{ input: sheet }]));
  find('file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file !== undefined) ask([{ input: file, caption: file.name }]);
  });
});
