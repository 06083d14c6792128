lfmscope --version
