export interface Example {
  title: string;
  /** The name of the operation in the document. */
  operation: string;
  query: string;
  variables?: object;
}

export const EXAMPLES: Example[] = [
  {
    title: "Who am I",
    operation: "Me",
    query: `# You and your sessions.
query Me {
  me {
    id
    username
    email
    createdAt
    sessions {
      device
      ip
      lastUsedAt
      isCurrent
    }
  }
}
`,
  },
  {
    title: "Sign up",
    operation: "Register",
    query: `# Creates an account.
# The Account panel does too,
# and keeps you signed in.
mutation Register($input: RegisterInput!) {
  register(input: $input) {
    accessToken
    expiresIn
    user {
      id
      username
    }
  }
}
`,
    variables: {
      input: { username: "grace", email: "grace@example.com", password: "nanoseconds of wire" },
    },
  },
  {
    title: "Sign in",
    operation: "LogIn",
    query: `# Takes a username or an email.
mutation LogIn($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    accessToken
    refreshToken
    expiresIn
  }
}
`,
    variables: { username: "grace", password: "nanoseconds of wire" },
  },
  {
    title: "Write a post",
    operation: "Write",
    query: `# Sign in first.
mutation Write($input: PostInput!) {
  createPost(input: $input) {
    id
    createdAt
    author {
      username
    }
  }
}
`,
    variables: { input: { title: "On compilers", content: "They can." } },
  },
  {
    title: "Page through posts",
    operation: "Posts",
    query: `# Newest first. Next page:
# send endCursor as after.
query Posts($first: Int, $after: String) {
  posts(first: $first, after: $after) {
    edges {
      node {
        title
        author {
          username
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { first: 10, after: null },
  },
  {
    title: "Watch what happens to your account",
    operation: "Watch",
    query: `# Sign in first. Runs until you
# stop it: sign in elsewhere
# meanwhile.
subscription Watch {
  securityEvents {
    kind
    createdAt
    device
    ip
  }
}
`,
  },
];
