// Style sheets are imported for their effect; the pages' bundler takes them.
declare module '*.css';
