/** `/healthz`: the process lives. `/readyz`: a balancer may send requests here. */
import { Router } from 'express';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Tables } from './tables';

/** @param isStopping true from the signal that ends the process on */
export function healthRoutes(db: Kysely<Tables>, isStopping: () => boolean): Router {
  const router = Router();
  // Responses on kept connections are their last ones then, so that the client opens another elsewhere.
  router.use((_req, res, next) => {
    if (isStopping()) res.set('Connection', 'close');
    next();
  });
  router.get('/healthz', (_req, res) => void res.type('text').send('ok'));
  router.get('/readyz', (_req, res) => {
    const answer = (status: number, text: string) =>
      void res.status(status).type('text').send(text);
    if (isStopping()) return answer(503, 'stopping');
    return sql`SELECT 1`.execute(db).then(
      () => answer(200, 'ok'),
      () => answer(503, 'no database'),
    );
  });
  return router;
}
