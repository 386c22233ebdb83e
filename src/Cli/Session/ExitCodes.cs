namespace Muster.Cli.Session;

/// <summary>What a script can tell by the exit code.</summary>
public static class ExitCodes
{
    /// <summary>It was done.</summary>
    public const int Done = 0;

    /// <summary>The server refused, and the reason is on stderr.</summary>
    public const int Refused = 1;

    /// <summary>The command line, a file or the profile is wrong; nothing was sent.</summary>
    public const int Usage = 2;

    /// <summary>The server does not answer: the same command may pass later.</summary>
    public const int Unreachable = 3;
}

/// <summary>The command cannot go on because of what the caller gave it.</summary>
public sealed class UsageException : Exception
{
    public UsageException()
    {
    }

    public UsageException(string message)
        : base(message)
    {
    }

    public UsageException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A comparison that was carried out found what should not be.</summary>
public sealed class DifferenceException : Exception
{
    public DifferenceException()
    {
    }

    public DifferenceException(string message)
        : base(message)
    {
    }

    public DifferenceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
