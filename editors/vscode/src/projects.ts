import type { ListProjectsResult } from './protocol';
import { allReservations } from './queries';
import { copyPort } from './reserving';
import type { Server } from './server';
import { information, pick } from './show';

/** Lists the projects, and of the one that is picked the reservations; picking one of these copies its port. */
export async function showProjects(server: Server): Promise<string | undefined> {
  const { projects } = await server.run<ListProjectsResult>('trop.listProjects');
  if (projects.length === 0) {
    void information('Trop: no reservation belongs to a project yet.');
    return undefined;
  }
  const named = projects.map((name) => ({ label: name, name }));
  const project = (await pick(named, { placeHolder: 'The project whose ports are shown' }))?.name;
  if (project === undefined) {
    return undefined;
  }
  const reservations = await allReservations(server, { project });
  const items = reservations.map((reservation) => ({
    label: `${reservation.port}`,
    description: [reservation.tag, reservation.path].filter((word) => word !== null).join(' · '),
    reservation,
  }));
  const options = { placeHolder: `The ports of ${project}: pick one to copy it`, matchOnDescription: true };
  const picked = await pick(items, options);
  if (picked) {
    await copyPort(server, picked);
  }
  return project;
}
