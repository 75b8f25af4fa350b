/** The package's own declaration comes with its build; this one is there before. */
declare module 'holdpoint/react/style.css'
