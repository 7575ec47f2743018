/** Prints the people who logged in, as JSON. */
import { logInEverywhere } from './login';

logInEverywhere().then(
  (people) => console.log(JSON.stringify(people)),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
