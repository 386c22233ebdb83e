namespace Muster.Contracts.Commit;

// All derive from OrleansException: any other is wrapped on its way from the provider to the grain, and nobody could
// catch it by its type.

/// <summary>A fence that the commit expected was raised: nothing was written. The caller's permission is void.</summary>
[GenerateSerializer, Alias("muster.fence-raised")]
public sealed class FenceRaisedException : OrleansException
{
    public FenceRaisedException()
    {
    }

    public FenceRaisedException(string message)
        : base(message)
    {
    }

    public FenceRaisedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// Another activation committed this record in between: nothing was written, and this activation's memory is stale.
/// </summary>
[GenerateSerializer, Alias("muster.commit-conflict")]
public sealed class CommitConflictException : OrleansException
{
    public CommitConflictException()
    {
    }

    public CommitConflictException(string message)
        : base(message)
    {
    }

    public CommitConflictException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>The store did not answer, is full, or is gone: whether the commit landed is unknown to the caller.</summary>
[GenerateSerializer, Alias("muster.store-unavailable")]
public class StoreUnavailableException : OrleansException
{
    public StoreUnavailableException()
    {
    }

    public StoreUnavailableException(string message)
        : base(message)
    {
    }

    /// <param name="message">What was not done.</param>
    /// <param name="innerException">Why; null when that is not known.</param>
    public StoreUnavailableException(string message, Exception? innerException)
        : base(message, innerException!)
    {
    }
}

/// <summary>
/// The server that answered the scan so far runs no more: where its scan was means nothing to the one that runs now, and records could be
/// left out. The partition is begun anew.
/// </summary>
[GenerateSerializer, Alias("muster.scan-broken")]
public sealed class ScanBrokenException : StoreUnavailableException
{
    public ScanBrokenException()
    {
    }

    public ScanBrokenException(string message)
        : base(message)
    {
    }

    public ScanBrokenException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// The partition's change feed holds as many entries as it may, because nobody reads or trims it: nothing was written. Passes when its tail
/// reads again.
/// </summary>
[GenerateSerializer, Alias("muster.feed-full")]
public sealed class FeedFullException : OrleansException
{
    public FeedFullException()
    {
    }

    public FeedFullException(string message)
        : base(message)
    {
    }

    public FeedFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>The disk below the store is full, or as good as full: nothing was made durable. Passes when there is room again.</summary>
[GenerateSerializer, Alias("muster.store-full")]
public sealed class StoreFullException : OrleansException
{
    public StoreFullException()
    {
    }

    public StoreFullException(string message)
        : base(message)
    {
    }

    public StoreFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// A stored record is not one that this version can read: a newer Muster wrote it, or its bytes are damaged. It is left as it is, and
/// whoever asks for it, or for the list that it is in, is told; nothing is shown as if it were not there.
/// </summary>
[GenerateSerializer, Alias("muster.record-unreadable")]
public sealed class RecordUnreadableException : OrleansException
{
    public RecordUnreadableException()
    {
    }

    public RecordUnreadableException(string message)
        : base(message)
    {
    }

    public RecordUnreadableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
