namespace Muster.ServiceDefaults;

/// <summary>A setting or a surrounding with which the host must not start; the message tells the operator what to change.</summary>
public sealed class StartRefusedException : Exception
{
    public StartRefusedException()
    {
    }

    public StartRefusedException(string message)
        : base(message)
    {
    }

    public StartRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
