// How long a person waits. Run by hand: a timing decides nothing in a test.
const STARTS = 10;
const CHANGES = 20;

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const port = world.reserve(folder);
  const [shown, known] = [[], []];
  let window;
  for (let number = 0; number < STARTS; number++) {
    await window?.page.close();
    await window?.stop();
    window = await openWindow(folder);
    await window.showsStatus(`${port}`);
    shown.push(performance.now() - window.shown);
    known.push(performance.now() - window.extensible);
  }

  const rows = await window.reservations();
  await rows.filter({ hasText: `${port}` }).waitFor();
  const [command, followed] = [[], []];
  for (let number = 0; number < CHANGES; number++) {
    const begun = performance.now();
    const tagged = world.reserve(folder, '--tag', `t${number}`);
    const done = performance.now();
    await rows.filter({ hasText: `${tagged}` }).waitFor();
    command.push(done - begun);
    followed.push(performance.now() - done);
  }

  tell(`the window is there, to its port in the bar, ${STARTS} starts`, shown);
  tell('its extension host is there, to the port in the bar', known);
  tell(`trop reserve in a terminal, begin to end, ${CHANGES} times`, command);
  tell('its end, to the row in the view', followed);
}

function tell(what, times) {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share) => `${Math.round(sorted[Math.ceil(share * sorted.length) - 1])} ms`;
  console.log(`${what}: p50 ${at(0.5)}, p95 ${at(0.95)}`);
}
