namespace Muster.Load.Servers;

/// <summary>A server that takes the generator's messages.</summary>
internal interface IContestant : IDisposable
{
    /// <summary>In the names of figures.</summary>
    string Name { get; }

    int Port { get; }

    string ServerCaFile { get; }

    /// <summary>All processes that work on a message.</summary>
    int[] Processes { get; }
}
