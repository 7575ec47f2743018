/** For comfort: times in the zone of the visitor, and the focus on the heading. Every page works without it. */
'use strict';

const local = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});
for (const time of document.querySelectorAll('time')) {
  time.textContent = local.format(new Date(time.dateTime));
}

// After a link or a form of this site, so that a screen reader begins with what is new. A fragment goes first.
const [navigation] = performance.getEntriesByType('navigation');
const isFromHere = document.referrer.startsWith(`${location.origin}/`);
if (isFromHere && navigation?.type === 'navigate' && location.hash === '') {
  const heading = document.querySelector('h1');
  heading.tabIndex = -1;
  heading.focus();
}
