namespace Muster.Storage;

/// <summary>
/// Stands between the server's reply and the acknowledgement. On Redis the server's appendfsync decides what a reply is
/// worth and nothing is left to do; the embedded store replies from memory and needs its log committed.
/// </summary>
public interface IDurabilityBarrier
{
    /// <summary>
    /// Before a commit is sent. Throws <see cref="Muster.Contracts.Commit.StoreFullException"/> when there is no room for it.
    /// </summary>
    void CheckRoom();

    /// <summary>Returns when everything that the server answered before this call survives a crash of the process.</summary>
    Task PassAsync(CancellationToken cancellationToken);
}

/// <summary>The server's reply is the acknowledgement.</summary>
internal sealed class ServerDecides : IDurabilityBarrier
{
    /// <summary>A server that has no room says so itself.</summary>
    public void CheckRoom()
    {
    }

    public Task PassAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
