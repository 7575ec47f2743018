/** Refuses forms of other sites: each POST of this application passes here. */
import type { RequestHandler } from 'express';
import { errorPage } from './pages';

/**
 * Against cross-site request forgery: browsers tell where a POST comes from. A request without these
 * headers does not come from a browser, and carries only the cookies that its sender already has.
 */
export const onlyFromHere: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') {
    next();
    return;
  }
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const sameHost =
    origin === undefined || (URL.canParse(origin) && new URL(origin).host === req.get('host'));
  if (sameHost && (site === undefined || site === 'same-origin')) next();
  else res.status(403).send(errorPage(403, req.user));
};
