/** The long hunt, `npm run test:long`: more of everything. */
export const long = process.env.BASEUNIT_LONG === '1';
