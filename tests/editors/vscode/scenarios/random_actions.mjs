import { actAtRandom } from '../random_actions.mjs';

export default async function (scene) {
  await actAtRandom(scene, 15);
}
