/** For TypeScript: `req.user` is the user of this application, and `res.locals` has what pages need. */
import type { User as LoggedInUser } from './user';

declare global {
  namespace Express {
    interface User extends LoggedInUser {}
    interface Locals {
      /** The page that shows the last login, for developers. */
      seeTheLogin?: string;
    }
  }
}
