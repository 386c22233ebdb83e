namespace Muster.Simulator.Demo;

/// <summary>The run cannot go on, for a reason that is for people; it is a violation, and no stack is shown.</summary>
internal sealed class DemoFaultException(string message) : Exception(message)
{
    /// <summary>The check that failed.</summary>
    public string Check { get; init; } = "start";
}
