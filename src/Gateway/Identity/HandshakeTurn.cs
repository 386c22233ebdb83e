namespace Muster.Gateway.Identity;

/// <summary>How waiting for a handshake ends.</summary>
internal enum TurnOutcome
{
    /// <summary>It may begin; its place has to be given back.</summary>
    Begun,

    /// <summary>As many wait as may, and none of a network that has more.</summary>
    NoPlace,

    /// <summary>Its place for waiting is another's now.</summary>
    Displaced,

    /// <summary>It waited as long as one may.</summary>
    WaitedTooLong,

    /// <summary>Its peer went.</summary>
    Closed,
}

/// <summary>One connection at the doors, from before its handshake until it is known or gone. Given back by disposing it.</summary>
internal sealed class HandshakeTurn(HandshakeTurns owner, WaitingHost host) : IDisposable
{
    private readonly TaskCompletionSource<TurnOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WaitingHost Host => host;

    /// <summary>Completes when it may begin, or when it waits no more.</summary>
    public Task<TurnOutcome> Outcome => _outcome.Task;

    /// <summary>Among those of its host who wait; null when it does not. The turns' lock guards it and what follows.</summary>
    public LinkedListNode<HandshakeTurn>? Node { get; set; }

    /// <summary>It has a place among the handshakes.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Ends its waiting; null when it never waited.</summary>
    public ITimer? Patience { get; set; }

    public void Decide(TurnOutcome outcome) => _outcome.TrySetResult(outcome);

    /// <summary>The peer went: it waits for nothing.</summary>
    public void StopWaiting() => owner.StopWaiting(this, TurnOutcome.Closed);

    public void Dispose() => owner.GiveBack(this);
}
