// One household that is being sent, kept on this computer until the server has it: a power cut or a lost line then
// costs nothing. Only the officer who typed it sees it again; it goes as soon as the server answers, or after a day.

const DAY = 24 * 60 * 60 * 1000;
const name = (officer) => `waiting-${officer}`;

export function keep(sheet) {
  try {
    localStorage.setItem(name(sheet.officer), JSON.stringify({ ...sheet, at: Date.now() }));
  } catch {
    // no room, or storage is switched off: then only the page itself keeps it
  }
}

export function kept(officer) {
  try {
    const sheet = JSON.parse(localStorage.getItem(name(officer)));
    if (sheet && Date.now() - sheet.at < DAY) return sheet;
  } catch {
    // whatever stands there is none of ours
  }
  forget(officer);
  return null;
}

export function forget(officer) {
  try {
    localStorage.removeItem(name(officer));
  } catch {
    // as above
  }
}
