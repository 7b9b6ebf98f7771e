/** What the page for those who are not signed in says. */
export const signIn = {
  product: "Karyaksham",
  promise: "Large files in, results out.",
  modes: {
    signIn: { title: "Sign in", submit: "Sign in" },
    register: { title: "Create an account", submit: "Create account" },
    reset: { title: "Set a new password", submit: "Set the password" },
  },
  ways: {
    signIn: { ask: "Have an account?", swap: "Sign in" },
    register: { ask: "No account yet?", swap: "Create one" },
    reset: { ask: "Forgot the password?", swap: "Use a reset code" },
  },
  expired: "Your session has ended. Sign in to go on where you were.",
  wasReset: "The password is set. Sign in with it.",
  resetSays: "An administrator makes a code for you. It works once, and not for long.",
  name: "Name",
  email: "Email",
  password: "Password",
  newPassword: "New password",
  code: "Reset code",
} as const;
